import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { topics } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../journeys/harness/gatehouse-process.ts';
import { openForeignClient, POISON_HEADER, type ForeignClient } from './foreign-client.ts';
import type { Call } from './history.ts';
import { judge } from './judge.ts';
import { seedOfThisRun } from './random.ts';
import { STEADY, startStage, type Stage } from './stage.ts';
import {
  askUntilRefused,
  makeVictim,
  steadyWords,
  untilWell,
  wordOf,
  type Victim,
} from './under-load.ts';
import { startWorkload, type Workload } from './workload.ts';

const MAX_AGE_MS = 6_000;
/** After so long a silence a gate reads all state anew. In the field it is ten minutes, and an hour is far beyond it. */
const RESYNC_AFTER_MS = 10_000;
/** Of a consumer in its group: `leaseMs` of the bus. */
const SESSION_MS = 10_000;
const PATIENCE = { timeoutMs: 40_000, everyMs: 200 };
const GROUPS = 100;
const STATES = [topics.principalsState, topics.policyState, topics.catalogueState];
const PRINCIPALS = topics.principalsState.name;
const DOMAIN = [topics.identity, topics.policy, topics.registry, topics.auditRaw];

const seed = seedOfThisRun();
let stage: Stage;
let load: Workload;
let foreign: ForeignClient;
let database: Client;

beforeAll(async () => {
  stage = await startStage({
    seed,
    env: {
      GATEHOUSE_GATEWAY_STATE_MAX_AGE_MS: String(MAX_AGE_MS),
      GATEHOUSE_GATEWAY_STATE_RESYNC_AFTER_MS: String(RESYNC_AFTER_MS),
    },
  });
  foreign = await openForeignClient(stage.kafka.bootstrap);
  database = new Client({ connectionString: stage.cluster.databaseUrl });
  // Where the stage is taken down first, it is for the query at hand to say so.
  database.on('error', () => undefined);
  await database.connect();
  load = startWorkload(stage);
  await sleep(5_000);
});
afterAll(async () => {
  await database?.end();
  await foreign?.close();
  await stage?.dispose();
});

/** How many records the trail has, and how many the bus has carried. */
async function trailAndBus(): Promise<[number, number]> {
  const { rows } = await database.query<{ size: string }>('select size from audit.log_state');
  return [Number(rows[0]?.size), await foreign.endOf(topics.auditRaw.name)];
}

async function health(service: string): Promise<string> {
  return (await fetch(`${stage.cluster.urlOf(service)}/health/ready`)).text();
}

/** As an operator does, with the place that the alarm names. */
async function park(place: string): Promise<void> {
  const env = {
    PATH: process.env['PATH'],
    NO_COLOR: '1',
    GATEHOUSE_BUS_URL: `kafka://${stage.kafka.bootstrap}`,
  };
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { code, stdout, stderr } = await runCommand(['topics', 'park', place], env, root);
  expect([code, stdout, stderr]).toEqual([
    0,
    `${place} is parked in ${place.split('/')[0]}.dlq.\n`,
    '',
  ]);
}

describe(`what the bus delivers (seed ${seed})`, () => {
  it('all that was ever said, said again in any order, changes nothing', async () => {
    const victim = await makeVictim(stage, 'revived');
    await stage.admin.revokeKey(victim);
    for (const { node } of stage.gates) await askUntilRefused(victim, node);
    const since = Date.now();
    await stage.fault('everything is resent, shuffled', {}, async () => {
      for (const topic of [...STATES, ...DOMAIN, ...STATES])
        expect(await foreign.resend(topic.name, stage.random)).toBeGreaterThan(0);
    });
    for (const { node } of stage.gates) {
      const words = await Promise.all(
        Array.from({ length: 4 }, () => victim.at[node]!.call(STEADY, 'look', 'read')),
      );
      expect(new Set(words.map(wordOf))).toEqual(new Set(['token-refused']));
      expect(new Set(steadyWords(stage, node, since))).toEqual(new Set(['ok']));
    }
    await untilWell(stage);
  });

  it('consumers that are slower than their session allows lose nothing, repeat nothing, and hold up no gate', async () => {
    const since = Date.now();
    const audit = stage.cluster.pidOf('audit');
    await stage.fault('audit stands still, and the read model is locked', {}, async () => {
      process.kill(audit, 'SIGSTOP');
      try {
        await database.query('begin; lock table admin.projection_cursor in access exclusive mode');
        await sleep(SESSION_MS + 4_000);
        await database.query('commit');
      } finally {
        process.kill(audit, 'SIGCONT');
      }
    });
    for (const { node } of stage.gates)
      expect(new Set(steadyWords(stage, node, since))).toEqual(new Set(['ok']));
    const [, carried] = await trailAndBus();
    const unique = new Set(
      (await foreign.readAll(topics.auditRaw.name)).map(({ value }) => String(value)),
    );
    expect(carried).toBeGreaterThan(unique.size);
    await eventually(async () => {
      const [stored] = await trailAndBus();
      expect(stored).toBeGreaterThanOrEqual(unique.size);
    }, PATIENCE);
    await untilWell(stage);
  });

  it('a gate that was away while state was compacted, and one that starts after, know what the others know', async () => {
    const pid = stage.cluster.pidOf('gateway-2');
    const victim = await makeVictim(stage, 'while-away');
    const key = `agent:${victim.principalId}`;
    const letIn = (await foreign.readKey(PRINCIPALS, key)).at(-1)!;
    await foreign.compactQuickly(STATES.map(({ name }) => name));
    let asked: readonly Promise<Call>[] = [];
    try {
      await stage.fault('gateway-2 away for long', { blinds: ['gateway-2'] }, async () => {
        const left = Date.now();
        process.kill(pid, 'SIGSTOP');
        await stage.admin.revokeKey(victim);
        await makeAndDeleteGroups();
        // What comes last of a key is now what chance will have, or what let the victim in: compaction keeps just that.
        for (const topic of STATES) await foreign.resend(topic.name, stage.random);
        await foreign.send(PRINCIPALS, [letIn]);
        await eventually(async () => {
          expect((await foreign.readKey(PRINCIPALS, key)).length).toBe(1);
          const kept = await foreign.readAll(PRINCIPALS);
          expect(kept.length).toBeLessThan((await foreign.endOf(PRINCIPALS)) / 2);
        }, PATIENCE);
        await sleep(left + RESYNC_AFTER_MS + 1_000 - Date.now());
        asked = Array.from({ length: 4 }, () =>
          victim.at['gateway-2']!.call(STEADY, 'look', 'read'),
        );
        await sleep(300);
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await Promise.all(asked)).map(wordOf)).not.toContain('ok');
    expect(await askUntilRefused(victim, 'gateway-2')).not.toContain('ok');
    expect(stage.cluster.logOf('gateway-2')).toContain('the state was read anew');
    await untilWell(stage);
    await stage.crash('gateway-1', 500);
    expect(await askUntilRefused(victim, 'gateway-1')).not.toContain('ok');
    await untilWell(stage);
  });

  it('a message that nobody can read stops its partition and alarms, gates go on, and an operator parks it', async () => {
    const since = Date.now();
    await stage.fault('poison on the topics of identity and of records', {}, async () => {
      for (const topic of [topics.identity, topics.auditRaw])
        await foreign.poison(topic.name, { partition: 0, key: 'poison', value: '{' });
      const places: string[] = [];
      for (const [service, topic] of [
        ['admin', topics.identity],
        ['audit', topics.auditRaw],
      ] as const) {
        const where = new RegExp(`${topic.name}/0@\\d+`);
        await eventually(async () => expect(await health(service)).toMatch(where), PATIENCE);
        const alarm = new RegExp(`"alarm":true.*stands still on ${topic.name}/0@`);
        await eventually(() => expect(stage.cluster.logOf(service)).toMatch(alarm));
        places.push(where.exec(await health(service))![0]);
      }
      // Five of six partitions go on, and most agents lie there.
      await eventually(async () => {
        const made = await stage.admin.create(
          'AGENT',
          `meanwhile-${stage.random.next()}`,
          'reader',
        );
        expect(made).toBeDefined();
      }, PATIENCE);
      const [stored] = await trailAndBus();
      await eventually(
        async () => expect((await trailAndBus())[0]).toBeGreaterThan(stored),
        PATIENCE,
      );
      for (const place of places) await park(place);
      for (const service of ['admin', 'audit'])
        await eventually(
          async () => expect(await health(service)).toBe('{"status":"ready"}'),
          PATIENCE,
        );
    });
    for (const { node } of stage.gates)
      expect(new Set(steadyWords(stage, node, since))).toEqual(new Set(['ok']));
    await untilWell(stage);
  });

  it('state that nobody can read takes away what it speaks of, and its owner tells it again', async () => {
    const victim = await makeVictim(stage, 'garbled');
    await stage.fault('poison on the topics of state', {}, async () => {
      for (const value of ['{', '{"kind":"agent","number":"one"}']) {
        await poisonState(PRINCIPALS, `agent:${victim.principalId}`, value);
        await poisonState(topics.policyState.name, 'bundle', value);
      }
    });
    for (const owner of ['identity', 'policy'])
      expect(stage.cluster.logOf(owner)).toContain('state that had gone astray is told again');
    for (const { node } of stage.gates) await untilLetInAgain(victim, node);
    await untilWell(stage);
    // And one that finds on the topics only what came last.
    await stage.crash('gateway-1', 500);
    await untilLetInAgain(victim, 'gateway-1');
    await untilWell(stage);
  });

  it('leaves a history that keeps every promise', async () => {
    const evidence = await judge(stage, load, { blindMs: MAX_AGE_MS + 1_000 });
    expect(evidence.forwarded.length).toBeGreaterThan(200);
    expect(evidence.raw.length).toBeGreaterThan(evidence.trail.length);
  });
});

/** As if its owner had said it just now; resolves when that owner has said something better. */
async function poisonState(topic: string, key: string, value: string): Promise<void> {
  const all = await foreign.readAll(topic);
  const known = all.find((message) => String(message.key) === key);
  const positions = all.map(({ headers }) => Number(String(headers?.['position'] ?? 0)));
  const headers = { position: String(Math.max(...positions)) };
  await foreign.poison(topic, { ...known, key, value, headers });
  await eventually(async () => {
    const last = (await foreign.readKey(topic, key)).at(-1);
    expect(last?.headers).not.toHaveProperty(POISON_HEADER);
  }, PATIENCE);
}

async function untilLetInAgain(victim: Victim, node: string): Promise<void> {
  await eventually(async () => {
    expect(wordOf(await victim.at[node]!.call(STEADY, 'look', 'read'))).toBe('ok');
  }, PATIENCE);
}

/** Leaves nothing but tombstones. */
async function makeAndDeleteGroups(): Promise<void> {
  const one = async (): Promise<void> => {
    const { createGroup } = await stage.admin.ask<{ createGroup: { group: { id: string } } }>(
      `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }`,
      { input: { displayName: `short-lived-${stage.random.next()}` } },
    );
    await stage.admin.ask(
      `mutation ($input: DeleteGroupInput!) { deleteGroup(input: $input) { groupId } }`,
      { input: { groupId: createGroup.group.id } },
    );
  };
  for (let made = 0; made < GROUPS; made += 10)
    await Promise.all(Array.from({ length: 10 }, () => one()));
}
