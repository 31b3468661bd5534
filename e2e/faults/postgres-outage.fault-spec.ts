import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesUnderWay } from './changes-under-way.ts';
import { OWNERS } from './history.ts';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ seed });
});
afterAll(() => stage.dispose());

describe(`PostgreSQL is shut down at once under load, twice (seed ${seed})`, () => {
  it('keeps every promise; gates go on meanwhile, for they need no database', async () => {
    const { postgres } = stage.cluster;
    const workload = startWorkload(stage);
    for (const seconds of [4, 1]) {
      await untilWell(stage);
      const changes = OWNERS.map((owner) => changesUnderWay(stage, owner));
      await sleep(stage.random.below(150));
      await stage.fault('PostgreSQL shut down', { hits: OWNERS }, async () => {
        await postgres.stopImmediately();
        await sleep(loadMs(seconds));
        await postgres.restart();
      });
      await Promise.all(changes);
    }
    await untilWell(stage);
    const evidence = await judge(stage, workload, { healingMs: 30_000 });
    const changes = evidence.entries.filter((entry) => entry.kind === 'admin');
    const cut = changes.filter(({ outcome }) => outcome.kind !== 'ok');
    expect(cut.length).toBeGreaterThan(0);
    // An outage is not a bug of ours, and is not told as one.
    expect(cut.filter(({ outcome }) => JSON.stringify(outcome).includes('"internal'))).toEqual([]);
    const [outage] = evidence.entries.filter(({ kind }) => kind === 'fault');
    const meanwhile = stage.history.calls.filter(
      ({ invokedAt }) => invokedAt > outage!.invokedAt && invokedAt < outage!.completedAt!,
    );
    expect(meanwhile.filter(({ outcome }) => outcome.kind === 'ok').length).toBeGreaterThan(20);
  });
});
