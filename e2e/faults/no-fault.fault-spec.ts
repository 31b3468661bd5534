import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { startWorkload } from './workload.ts';

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ seed });
});
afterAll(() => stage.dispose());

describe(`with nothing broken (seed ${seed})`, () => {
  it('every promise holds under load', async () => {
    const workload = startWorkload(stage);
    await sleep(loadMs(10));
    const evidence = await judge(stage, workload);
    expect(evidence.forwarded.length).toBeGreaterThan(50);
    expect(evidence.entries.filter(({ kind }) => kind === 'admin').length).toBeGreaterThan(10);
  });
});
