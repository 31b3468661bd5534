import { eventually } from '@gatehouse/testing';
import type { Form } from '../journeys/harness/gatehouse.ts';
import { startWorld } from '../journeys/harness/world.ts';
import { startCallLoad } from './call-load.ts';
import { changesOn, type Effects } from './propagated-changes.ts';
import { prepareStage } from './propagation-stage.ts';
import { startHoldingServer } from './holding-server.ts';
import { figure, quantile, type Figure } from './report.ts';

export interface PropagationOptions {
  readonly forms: readonly FormName[];
  /** How many changes of each kind. */
  readonly events: number;
  /** Calls a second at each gateway beside what is measured. */
  readonly load: number;
}

export type FormName = 'standalone' | 'cluster-postgres' | 'cluster-kafka';

/** The forms by the names that `--form` takes, and how soon 99 of 100 changes should have had their effect. */
export const propagationForms: Readonly<Record<FormName, { form: Form; goalMs: number }>> = {
  standalone: { form: { kind: 'standalone' }, goalMs: 100 },
  'cluster-postgres': { form: { kind: 'cluster', bus: 'postgres', gateways: 2 }, goalMs: 250 },
  'cluster-kafka': { form: { kind: 'cluster', bus: 'kafka', gateways: 2 }, goalMs: 250 },
};

const WARM_UP = 5;

/** From a change that an administrator makes to its effect at every gateway, while calls go on. */
export async function propagationBench(options: PropagationOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of options.forms) figures.push(...(await measureForm(name, options)));
  return figures;
}

async function measureForm(
  name: FormName,
  { events, load }: PropagationOptions,
): Promise<Figure[]> {
  const { form, goalMs } = propagationForms[name];
  const holding = await startHoldingServer();
  const world = await startWorld({}, form).catch(async (error: unknown) => {
    await holding.stop();
    throw error;
  });
  try {
    const stage = await prepareStage(world, holding);
    const busy = await world.agent('busy', { everything: [{ tool: 'echo', mode: 'READ' }] });
    const endpoints = world.gatehouse.gateUrls.map((url) => `${url}/s/everything/mcp`);
    const calls = await eventually(() => startCallLoad(endpoints, busy.token, 'echo', load));
    const figures: Figure[] = [];
    for (const change of await changesOn(stage)) {
      const effects: Effects[] = [];
      for (let round = 0; round < WARM_UP; round += 1) await change.once();
      for (let round = 0; round < events; round += 1) effects.push(await change.once());
      figures.push(...figuresOf(`${name}: ${change.name}`, effects, goalMs));
    }
    return [...figures, figure(`${name}: calls meanwhile`, '1/s', await calls.stop())];
  } finally {
    await world.dispose();
    await holding.stop();
  }
}

function figuresOf(change: string, effects: readonly Effects[], goal: number): Figure[] {
  return Object.keys(effects[0] ?? {}).flatMap((effect) => {
    const samples = effects.map((of) => of[effect]!);
    const asked = samples.map((sample) => sample.sinceAsked);
    const answered = samples.map((sample) => sample.sinceAnswered);
    const what = `${change}, ${effect}`;
    return [
      figure(`${what}, p50`, 'ms', quantile(asked, 0.5)),
      figure(`${what}, p99`, 'ms', quantile(asked, 0.99), { goal }),
      figure(`${what}, max`, 'ms', Math.max(...asked)),
      figure(`${what}, p50 after the answer`, 'ms', quantile(answered, 0.5)),
      figure(`${what}, p99 after the answer`, 'ms', quantile(answered, 0.99)),
    ];
  });
}
