import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWNERS } from './history.ts';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { steadyWords, untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

const OUTAGE_SECONDS = 60;
const MAX_AGE_MS = 15_000;
const SLACK_MS = 2_000;

const seed = seedOfThisRun();
let stage: Stage;
beforeAll(async () => {
  const env = { GATEHOUSE_GATEWAY_STATE_MAX_AGE_MS: String(MAX_AGE_MS) };
  stage = await startStage({ seed, env });
});
afterAll(() => stage.dispose());

describe(`Kafka is killed under load, for a minute (seed ${seed})`, () => {
  it('gates serve on what they know until they cannot know; no record is lost or doubled; all goes on once it is back', async () => {
    const workload = startWorkload(stage);
    await untilWell(stage);
    const nodes = stage.gates.map(({ node }) => node);
    const killedAt = Date.now();
    await stage.fault('Kafka killed', { blinds: nodes, hits: OWNERS }, async () => {
      await stage.kafka.kill();
      await sleep(MAX_AGE_MS + SLACK_MS);
      const since = Date.now();
      await sleep(loadMs(OUTAGE_SECONDS) - MAX_AGE_MS - SLACK_MS);
      for (const node of nodes)
        expect(new Set(steadyWords(stage, node, since))).toEqual(new Set(['state-stale']));
    });
    const backAt = Date.now();
    // While it starts, gates may hear of it before we do.
    await stage.fault('Kafka starting', { hits: [...nodes, ...OWNERS] }, () =>
      stage.kafka.restart(),
    );
    await untilWell(stage);
    const evidence = await judge(stage, workload, {
      blindMs: MAX_AGE_MS + SLACK_MS,
      healingMs: 45_000,
    });
    const spooled = stage.history.calls.filter(
      ({ outcome, invokedAt }) =>
        outcome.kind === 'ok' && invokedAt > killedAt + 1_000 && invokedAt < backAt,
    );
    expect(spooled.length).toBeGreaterThan(20);
    const stored = new Set(evidence.trail.map(({ record }) => record.userAgent));
    expect(spooled.filter(({ id }) => !stored.has(id))).toEqual([]);
  });
});
