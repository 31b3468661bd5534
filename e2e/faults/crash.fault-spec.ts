import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesUnderWay } from './changes-under-way.ts';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

/** Whom to kill, and at whom changes are under way meanwhile. */
const VICTIMS = [
  ['identity', 'identity'],
  ['policy', 'policy'],
  ['registry', 'registry'],
  ['audit', 'policy'],
  ['admin', 'identity'],
  ['gateway-1', 'identity'],
  ['gateway-2', 'policy'],
] as const;

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ seed });
});
afterAll(() => stage.dispose());

describe(`kill -9 of every process, one after the other, under load (seed ${seed})`, () => {
  it('keeps every promise, and what was under way is done or not done, never half', async () => {
    const workload = startWorkload(stage);
    for (const [service, owner] of VICTIMS) {
      await untilWell(stage);
      await sleep(loadMs(1));
      const changes = changesUnderWay(stage, owner);
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
