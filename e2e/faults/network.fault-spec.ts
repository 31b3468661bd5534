import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpProxy } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from './history.ts';
import { judge } from './judge.ts';
import { seedOfThisRun } from './random.ts';
import { STEADY, startStage, type Stage } from './stage.ts';
import { askUntilRefused, makeVictim, steadyWords, untilWell, wordOf } from './under-load.ts';
import { startWorkload, type Workload } from './workload.ts';

/** How long a gate may decide on what it last heard; the time beyond in which it is watched refusing. */
const MAX_AGE_MS = 6_000;
const BEYOND_MS = 3_000;
const DOORS: Readonly<Record<string, number>> = { 'gateway-1': 0, 'gateway-2': 1 };

const ONE_BLIND = { blinded: new Set(['state-stale']), others: new Set(['ok']) };

const seed = seedOfThisRun();
let stage: Stage;
let load: Workload;

beforeAll(async () => {
  stage = await startStage({
    seed,
    kafka: { doors: 2 },
    env: { GATEHOUSE_GATEWAY_STATE_MAX_AGE_MS: String(MAX_AGE_MS) },
    busUrlOf: (service, { bootstrap, doors }) =>
      `kafka://${doors[DOORS[service] ?? -1]?.bootstrap ?? bootstrap}`,
  });
  load = startWorkload(stage);
});
afterAll(() => stage.dispose());

const wireOf = (node: string): TcpProxy => stage.kafka.doors[DOORS[node]!]!.wire;

interface Words {
  /** Of the node, once it must have noticed. */
  readonly blinded: ReadonlySet<string>;
  /** Of all other gates, all the time. */
  readonly others: ReadonlySet<string>;
}

/** The node hears nothing until it must have noticed, and is watched a while longer; what `meanwhile` does happens unheard. */
async function blind(
  node: string,
  how: { what: string; break: () => void; heal: () => void },
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<Words> {
  const since = Date.now();
  let cannotKnow = since;
  await stage.fault(`${node} ${how.what}`, { blinds: [node] }, async () => {
    how.break();
    try {
      await meanwhile();
      await sleep(MAX_AGE_MS + 1_000 - (Date.now() - since));
      cannotKnow = Date.now();
      await sleep(BEYOND_MS);
    } finally {
      how.heal();
    }
  });
  const others = stage.gates.filter((gate) => gate.node !== node);
  // What is begun just before the end may be decided after it.
  const watched = stage.history.calls.filter(
    ({ invokedAt }) => invokedAt < cannotKnow + BEYOND_MS - 500,
  );
  return {
    blinded: new Set(steadyWords(stage, node, cannotKnow, watched)),
    others: new Set(others.flatMap((other) => steadyWords(stage, other.node, since, watched))),
  };
}

describe(`between the gates and Kafka (seed ${seed})`, () => {
  it('a gate that is cut off refuses all once it cannot know, the other serves on, and it comes back by itself', async () => {
    const wire = wireOf('gateway-2');
    const cut = { what: 'cut off from Kafka', break: () => wire.cut(), heal: () => wire.mend() };
    expect(await blind('gateway-2', cut)).toEqual(ONE_BLIND);
    await untilWell(stage);
  });

  it('a gate whose network is dead lets nobody in again that lost their key meanwhile', async () => {
    const wire = wireOf('gateway-1');
    const victim = await makeVictim(stage, 'unheard');
    const dead = {
      what: 'on a dead network',
      break: () => wire.freeze(),
      heal: () => wire.thaw(),
    };
    const words = await blind('gateway-1', dead, async () => {
      await stage.admin.revokeKey(victim);
      await askUntilRefused(victim, 'gateway-2');
    });
    expect(words).toEqual(ONE_BLIND);
    // From stale to refused: at no time does what it knew before count again.
    expect(await askUntilRefused(victim, 'gateway-1')).not.toContain('ok');
    await untilWell(stage);
  });

  it('answers of Kafka that are lost, and a while without a wire, leave no record lost and none twice', async () => {
    const wire = wireOf('gateway-1');
    const since = Date.now();
    await stage.fault(
      'answers lost on the way to gateway-1',
      { blinds: ['gateway-1'] },
      async () => {
        // What was sent is stored and nobody is told; then every further attempt fails, until somebody gives up.
        wire.freeze('answers');
        await sleep(500);
        wire.cut();
        await sleep(3_000);
        wire.thaw();
        wire.mend();
      },
    );
    await untilWell(stage);
    for (const word of steadyWords(stage, 'gateway-1', since))
      expect(['ok', 'state-stale']).toContain(word);
  });

  it('a slow network slows no call', async () => {
    const wire = wireOf('gateway-2');
    const since = Date.now();
    await stage.fault('a slow network to gateway-2', {}, async () => {
      wire.delay(300);
      await sleep(5_000);
      wire.delay(0);
    });
    const words = steadyWords(stage, 'gateway-2', since);
    expect(words.length).toBeGreaterThan(5);
    expect(new Set(words)).toEqual(new Set(['ok']));
    await untilWell(stage);
  });

  it('a gate that stood still for longer than it may not know answers nobody by what it knew', async () => {
    const victim = await makeVictim(stage, 'sleeper');
    const pid = stage.cluster.pidOf('gateway-1');
    let asked: readonly Promise<Call>[] = [];
    try {
      await stage.fault('gateway-1 stands still', { blinds: ['gateway-1'] }, async () => {
        process.kill(pid, 'SIGSTOP');
        await stage.admin.revokeKey(victim);
        await sleep(MAX_AGE_MS + 1_000);
        // They lie in its sockets when it wakes, and so come before any word of the bus.
        asked = Array.from({ length: 4 }, () =>
          victim.at['gateway-1']!.call(STEADY, 'look', 'read'),
        );
        await sleep(300);
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await Promise.all(asked)).map(wordOf)).not.toContain('ok');
    expect(await askUntilRefused(victim, 'gateway-1')).not.toContain('ok');
    await untilWell(stage);
  });

  it('leaves a history that keeps every promise', async () => {
    const evidence = await judge(stage, load, { blindMs: MAX_AGE_MS + 1_000 });
    expect(evidence.forwarded.length).toBeGreaterThan(200);
  });
});
