import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

const VICTIMS = ['identity', 'policy', 'registry', 'audit', 'admin', 'gateway-1', 'gateway-2'];

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ seed });
});
afterAll(() => stage.dispose());

describe(`kill -9 of every process, one after the other, under load (seed ${seed})`, () => {
  it('keeps every promise, and what was under way is done or not done, never half', async () => {
    const workload = startWorkload(stage);
    for (const service of VICTIMS) {
      await untilWell(stage);
      await sleep(loadMs(1) + stage.random.below(1_000));
      await stage.crash(service, 500 + stage.random.below(1_000));
    }
    await untilWell(stage);
    const evidence = await judge(stage, workload, { healingMs: 30_000 });
    expect(evidence.entries.filter(({ kind }) => kind === 'fault')).toHaveLength(VICTIMS.length);
    const cut = stage.history.calls.filter(({ outcome }) => outcome.kind === 'unknown');
    expect(cut.length).toBeGreaterThan(0);
  });
});
