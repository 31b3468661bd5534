import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { ROLES, startStage, type Stage } from './stage.ts';
import { untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

const VICTIMS = ['identity', 'policy', 'registry', 'audit', 'admin', 'gateway-1', 'gateway-2'];
const AT_ONCE = 10;

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ seed });
});
afterAll(() => stage.dispose());

/** Changes of which some are under way at any moment from now on, until they have all ended. */
function changesUnderWay(victim: string): Promise<unknown> {
  const { admin, random } = stage;
  const change = (name: string): Promise<unknown> => {
    if (victim === 'policy') return admin.defineRole(name, ROLES.reader);
    return victim === 'registry' ? admin.submit(name) : admin.createAgent(name, 'reader');
  };
  const names = Array.from({ length: AT_ONCE }, () => `at-once-${random.below(1_000_000_000)}`);
  return Promise.all(names.map(change));
}

describe(`kill -9 of every process, one after the other, under load (seed ${seed})`, () => {
  it('keeps every promise, and what was under way is done or not done, never half', async () => {
    const workload = startWorkload(stage);
    for (const service of VICTIMS) {
      await untilWell(stage);
      await sleep(loadMs(1));
      const changes = changesUnderWay(service);
      await sleep(stage.random.below(100));
      await stage.crash(service, 500 + stage.random.below(1_000));
      await changes;
    }
    await untilWell(stage);
    const { entries } = await judge(stage, workload, { healingMs: 30_000 });
    expect(entries.filter(({ kind }) => kind === 'fault')).toHaveLength(VICTIMS.length);
    const cut = entries.filter(
      (entry) => entry.kind !== 'fault' && /unknown|failed/.test(entry.outcome.kind),
    );
    expect(cut.filter(({ kind }) => kind === 'call').length).toBeGreaterThan(0);
    expect(cut.filter(({ kind }) => kind === 'admin').length).toBeGreaterThan(0);
  });
});
