import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForeignClient, type ForeignClient } from './foreign-client.ts';
import { judge } from './judge.ts';
import { loadMs, seedOfThisRun } from './random.ts';
import { startStage, type Stage } from './stage.ts';
import { askUntilRefused, makeVictim, untilWell } from './under-load.ts';
import { startWorkload } from './workload.ts';

const FIRST = 'gateway-1';
const LATE = 'gateway-2';
const STATES = [topics.principalsState.name, topics.policyState.name, topics.catalogueState.name];
const PATIENCE = { timeoutMs: 40_000, everyMs: 20 };

const seed = seedOfThisRun();
let stage: Stage;
let foreign: ForeignClient;
beforeAll(async () => {
  stage = await startStage({ seed, nodes: [FIRST] });
  foreign = await openForeignClient(stage.kafka.bootstrap);
});
afterAll(async () => {
  await foreign?.close();
  await stage?.dispose();
});

describe(`a gate joins late, under load (seed ${seed})`, () => {
  it('answers nobody before it knows, then knows what was revoked before its time, and keeps every promise', async () => {
    const { cluster, gates } = stage;
    const first = gates.find(({ node }) => node === FIRST)!;
    const late = gates.find(({ node }) => node === LATE)!;
    const workload = startWorkload(stage, [first]);
    await untilWell(stage, [FIRST]);
    const victim = await makeVictim(stage, 'before-its-time', [FIRST]);
    await stage.admin.revokeKey(victim);
    await askUntilRefused(victim, FIRST);
    // What was said first of everything is forgotten by the time it comes.
    await foreign.compactQuickly(STATES);
    await sleep(loadMs(8));
    const before = await foreign.endOf(topics.principalsState.name);
    await eventually(async () => {
      const kept = await foreign.readAll(topics.principalsState.name);
      expect(kept.length).toBeLessThan(before);
    }, PATIENCE);

    await cluster.start(LATE);
    const asking = stage.caller(victim, late);
    const words = new Set<string>();
    await eventually(async () => {
      const { outcome } = await asking.call('steady', 'look', 'read');
      if (outcome.kind === 'ok') throw new Error('a revoked key was let in');
      words.add(outcome.kind === 'refused' ? outcome.code : outcome.kind);
      if (!words.has('token-refused')) throw new Error(`it says ${[...words].join(', ')}`);
    }, PATIENCE);
    asking.close();
    // It listens before it knows, and says so.
    expect(words).toEqual(new Set(['failed', 'not-ready', 'token-refused']));
    await cluster.ready(LATE);
    workload.add(late);
    await untilWell(stage);
    await sleep(loadMs(3));
    const evidence = await judge(stage, workload);
    expect(evidence.nodes.toSorted()).toEqual([FIRST, LATE]);
    expect(evidence.forwarded.length).toBeGreaterThan(100);
  });
});
