import { randomUUID } from 'node:crypto';
import { identityCommands, type RequestOf, type ResultOf } from '@gatehouse/event-catalog';
import { OwnerClient, type Platform } from '@gatehouse/platform';
import { eventually, startThrowAwayKafka, type ThrowAwayKafka } from '@gatehouse/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCluster, type Cluster } from '../harness/cluster.ts';
import { openDoorSession } from '../harness/door-session.ts';

const PAIR = ['identity', 'identity-2'] as const;
type One = (typeof PAIR)[number];
// What it takes is a second or two; the machine may be busy.
const SOON = { timeoutMs: 20_000, everyMs: 100 };

let kafka: ThrowAwayKafka;
let cluster: Cluster;
let serviceToken: string;
let database: pg.Client;
beforeAll(async () => {
  kafka = await startThrowAwayKafka();
  cluster = await prepareCluster({}, { busUrl: `kafka://${kafka.bootstrap}` });
  await cluster.applyTopics();
  await cluster.migrate();
  const all = [...PAIR, 'policy', 'registry', 'gateway'];
  for (const service of all) await cluster.start(service);
  for (const service of all) await cluster.ready(service);
  serviceToken = await cluster.serviceToken();
  database = new pg.Client({ connectionString: cluster.databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await cluster?.dispose();
  await kafka?.stop();
});

type Commands = typeof identityCommands;

/** Sends a command to this one of the two, as admin would if it happened to meet it. */
async function tell<K extends keyof Commands>(
  one: One,
  name: K,
  command: RequestOf<Commands, K>,
): Promise<ResultOf<Commands, K>> {
  const platform = { serviceUrl: () => cluster.urlOf(one), serviceToken };
  const by = {
    actor: { kind: 'service', id: 'journey', name: 'journey' },
    correlationId: randomUUID(),
  } as const;
  const client = new OwnerClient(platform as unknown as Platform);
  const { result } = await client.command('identity', identityCommands, name, command, by);
  return result;
}

const newUser = (one: One, userName: string) =>
  tell(one, 'provision-user', { userName, displayName: userName, email: null });

const newKey = async (one: One, userId: string): Promise<{ keyId: string; token: string }> =>
  tell(one, 'issue-key', {
    principal: { kind: 'user', id: userId },
    label: 'laptop',
    expiresAt: null,
  });

const enter = (token: string): Promise<unknown> => openDoorSession(cluster.urlOf('gateway'), token);

async function relays(one: One): Promise<boolean> {
  const authorization = `Bearer ${(await cluster.metricsToken()).trim()}`;
  const response = await fetch(`${cluster.urlOf(one)}/metrics`, { headers: { authorization } });
  const text = await response.text();
  const [, value] = /^gatehouse_outbox_relay_active\{[^}]*\} (\d)$/m.exec(text) ?? [];
  if (value === undefined) throw new Error(`no such metric:\n${text}`);
  return value === '1';
}

/** Which of the two relays, and which stands by. */
async function roles(): Promise<{ relaying: One; standby: One }> {
  const active = await Promise.all(PAIR.map(relays));
  expect(active.filter(Boolean)).toHaveLength(1);
  const relaying = active[0] === true ? PAIR[0] : PAIR[1];
  return { relaying, standby: relaying === PAIR[0] ? PAIR[1] : PAIR[0] };
}

describe('two processes of identity on one database', () => {
  it('both take commands, and what either has done the gate hears of', async () => {
    await eventually(roles, SOON);
    for (const one of PAIR) {
      const { userId } = await newUser(one, `of-${one}`);
      const other = one === PAIR[0] ? PAIR[1] : PAIR[0];
      const { keyId, token } = await newKey(other, userId);
      await eventually(() => enter(token), SOON);
      await tell(one, 'revoke-key', { keyId, reason: 'journey' });
      await eventually(() => expect(enter(token)).rejects.toThrow('401'), SOON);
    }
  });

  it('hold together what must be one: a name is given once, a first administrator made once', async () => {
    const both = (userName: string) =>
      Promise.allSettled(PAIR.map((one) => newUser(one, userName)));
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await both(`twin-${round}`);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
    const outcomes = await both('admin');
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('lose no command that both change the same by', async () => {
    const { userId } = await newUser('identity', 'busy');
    const group = await tell('identity', 'create-group', { displayName: 'everybody' });
    const members = await Promise.all(
      Array.from({ length: 10 }, (_, index) => newUser(PAIR[index % 2]!, `member-${index}`)),
    );
    const everybody = [userId, ...members.map((member) => member.userId)];
    await Promise.all(
      everybody.map((id, index) =>
        // Who is refused because others were quicker tries again, as the refusal says.
        eventually(
          () => tell(PAIR[index % 2]!, 'add-group-member', { groupId: group.groupId, userId: id }),
          SOON,
        ),
      ),
    );
    const { rows } = await database.query<{ user_id: string }>(
      'select user_id from identity.group_members where group_id = $1',
      [group.groupId],
    );
    expect(rows.map((row) => row.user_id).toSorted()).toEqual(everybody.toSorted());
  });

  it('stand in for each other: when the one that relays is killed, the other does so within seconds', async () => {
    const { userId } = await newUser('identity', 'survivor');
    const { relaying, standby } = await eventually(roles, SOON);
    const { keyId, token } = await newKey(relaying, userId);
    await eventually(() => enter(token), SOON);
    await cluster.stop(relaying, 'SIGKILL');
    const successor = await newKey(standby, userId);
    await tell(standby, 'revoke-key', { keyId, reason: 'while nobody relayed' });
    await eventually(() => enter(successor.token), SOON);
    await eventually(() => expect(enter(token)).rejects.toThrow('401'), SOON);
    expect(await relays(standby)).toBe(true);
    await cluster.start(relaying);
    await cluster.ready(relaying);
    expect(await eventually(roles, SOON)).toEqual({ relaying: standby, standby: relaying });
  });
});
