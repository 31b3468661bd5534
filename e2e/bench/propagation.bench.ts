import { eventually } from '@gatehouse/testing';
import type { Form } from '../journeys/harness/gatehouse.ts';
import { startHoldingServer } from '../journeys/harness/holding-server.ts';
import { prepareStage } from '../journeys/harness/rights-in-use.ts';
import { startWorld } from '../journeys/harness/world.ts';
import { startCallLoad } from './call-load.ts';
import { openCommitClock, type CommitClock } from './commit-clock.ts';
import { changesOn, type Effects, type Sample } from './propagated-changes.ts';
import { figure, quantile, type Figure } from './report.ts';

export interface PropagationOptions {
  readonly forms: readonly FormName[];
  /** How many changes of each kind. */
  readonly events: number;
  /** Calls a second at each gateway beside what is measured. */
  readonly load: number;
}

export type FormName = 'standalone' | 'cluster-postgres' | 'cluster-kafka';

const KEEPING_TIME = { settings: ['track_commit_timestamp=on'] };

/** The forms by the names that `--form` takes, and how soon 99 of 100 changes should have had their effect. */
export const propagationForms: Readonly<Record<FormName, { form: Form; goalMs: number }>> = {
  standalone: { form: { kind: 'standalone' }, goalMs: 100 },
  'cluster-postgres': {
    form: { kind: 'cluster', bus: 'postgres', gateways: 2, postgres: KEEPING_TIME },
    goalMs: 250,
  },
  'cluster-kafka': {
    form: { kind: 'cluster', bus: 'kafka', gateways: 2, postgres: KEEPING_TIME },
    goalMs: 250,
  },
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
  let clock: CommitClock | undefined;
  try {
    const stage = await prepareStage(world, holding);
    clock = await openCommitClock(world);
    const busy = await world.agent('busy', { everything: [{ tool: 'echo', mode: 'READ' }] });
    const endpoints = world.gatehouse.gateUrls.map((url) => `${url}/s/everything/mcp`);
    const calls = await eventually(() => startCallLoad(endpoints, busy.token, 'echo', load));
    const figures: Figure[] = [];
    const all: Sample[] = [];
    for (const change of await changesOn(stage, clock)) {
      const effects: Effects[] = [];
      for (let round = 0; round < WARM_UP; round += 1) await change.once();
      for (let round = 0; round < events; round += 1) effects.push(await change.once());
      for (const effect of Object.keys(effects[0] ?? {})) {
        const samples = effects.map((of) => of[effect]!);
        figures.push(...figuresOf(`${name}: ${change.name}, ${effect}`, samples, goalMs));
        // Of a change with two effects the call is the later one.
        if (effect === 'call cut') all.push(...samples);
      }
    }
    figures.push(...figuresOf(`${name}: all ${all.length} changes, call cut`, all, goalMs));
    return [...figures, figure(`${name}: calls meanwhile`, '1/s', await calls.stop())];
  } finally {
    await clock?.close();
    await world.dispose();
    await holding.stop();
  }
}

function figuresOf(what: string, samples: readonly Sample[], goal: number): Figure[] {
  const last = ({ there }: Sample): number => Math.max(...there);
  const asked = samples.map((sample) => last(sample) - sample.asked);
  const answered = samples.map((sample) => last(sample) - sample.answered);
  return [
    figure(`${what}, p50`, 'ms', quantile(asked, 0.5)),
    figure(`${what}, p99`, 'ms', quantile(asked, 0.99), { goal }),
    figure(`${what}, max`, 'ms', Math.max(...asked)),
    figure(`${what}, p50 after the answer`, 'ms', quantile(answered, 0.5)),
    ...sinceCommit(what, samples, goal),
  ];
}

/** Where the database keeps when it committed: at each gateway. */
function sinceCommit(what: string, samples: readonly Sample[], goal: number): Figure[] {
  const kept = samples.filter(({ committed }) => committed !== undefined);
  return (kept[0]?.there ?? []).flatMap((_, gateway) => {
    const since = kept.map(({ there, committed }) => there[gateway]! - committed!);
    const at = `${what}, from commit at gateway ${gateway + 1}`;
    return [
      figure(`${at}, p50`, 'ms', quantile(since, 0.5)),
      figure(`${at}, p99`, 'ms', quantile(since, 0.99), { goal }),
      figure(`${at}, max`, 'ms', Math.max(...since)),
    ];
  });
}
