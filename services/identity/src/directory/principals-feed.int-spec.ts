import { randomUUID } from 'node:crypto';
import {
  isBeat,
  principalStateSchema,
  topics,
  type DomainEvent,
  type PrincipalState,
} from '@gatehouse/event-catalog';
import {
  OutboxRelay,
  PostgresEventStore,
  systemClock,
  type ServiceDatabase,
} from '@gatehouse/platform';
import { startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupStream } from '../group/group.decider.ts';
import { identityMigrations } from '../migrations.ts';
import { guardedDirectory } from './guarded-directory.ts';
import { principalsFeed } from './principals-feed.ts';

// The law does not depend on the number; the number shows what would not scale. 10,000 is for a run by hand.
const MANY = Number(process.env['TEST_GROUP_MEMBERS'] ?? 2_000);
const CHUNK = 500;

let test: TestPlatform;
let store: PostgresEventStore;
let relay: OutboxRelay;
let reader: { stop(): Promise<void> };
const known = new Map<string, PrincipalState | null>();
let statements = 0;

beforeAll(async () => {
  test = await startTestPlatform({ schemas: [identityMigrations] });
  const { bus, log } = test.platform;
  const database = test.platform.database('identity');
  store = new PostgresEventStore(database, [guardedDirectory]);
  const feed = principalsFeed(counting(database), systemClock);
  relay = new OutboxRelay({ database, store, bus, log, feeds: [feed] });
  reader = await bus.readAll(topics.principalsState, ({ key, value }) => {
    if (isBeat({ key })) return;
    const state = value === null ? null : principalStateSchema.parse(JSON.parse(String(value)));
    known.set(String(key), state);
  });
  await relay.start();
});
afterAll(async () => {
  await relay?.stop();
  await reader?.stop();
  await test?.stop();
});

/** The same database, with every statement that goes through its pool counted. */
function counting(database: ServiceDatabase): ServiceDatabase {
  const pool = new Proxy(database.pool, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'query') statements += 1;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...database, pool };
}

async function append(stream: string, version: number, events: readonly DomainEvent[]) {
  const stamp = {
    actor: { kind: 'service', id: 'test', name: 'test' },
    occurredAt: '2026-01-01T00:00:00.000Z',
    correlationId: 'test',
  } as const;
  await store.append(
    stream,
    version,
    events.map((event) => ({ ...event, ...stamp })),
  );
}

/** A group of so many members, known to the gateways. */
async function groupOf(count: number): Promise<{ groupId: string; members: string[] }> {
  const groupId = randomUUID();
  const members = Array.from({ length: count }, () => randomUUID());
  await append(
    `import-${groupId}`,
    0,
    members.map((userId) => ({
      type: 'identity.user-provisioned.v1',
      data: { userId, userName: userId, displayName: 'Somebody', email: null },
    })),
  );
  await append(groupStream(groupId), 0, [
    { type: 'identity.group-created.v1', data: { groupId, displayName: 'Everybody' } },
    ...members.map((userId): DomainEvent => ({
      type: 'identity.group-member-added.v1',
      data: { groupId, userId },
    })),
  ]);
  await eventually(() => expect(groupsOf(members)).toEqual(members.map(() => [groupId])), {
    timeoutMs: 60_000,
  });
  return { groupId, members };
}

function groupsOf(members: readonly string[]) {
  return members.map((userId) => {
    const state = known.get(`user:${userId}`);
    return state?.kind === 'user' ? state.groupIds : undefined;
  });
}

async function relayedToTheHead(): Promise<void> {
  await eventually(
    async () => {
      const { rows } = await test.platform
        .database('identity')
        .pool.query<{ position: number }>('select position from checkpoint');
      expect(rows[0]?.position).toBe(await store.head());
    },
    { timeoutMs: 60_000 },
  );
}

/** Deletes the group and answers how many statements it took until everybody's state was told. */
async function costOfDeleting(count: number): Promise<number> {
  const { groupId, members } = await groupOf(count);
  const leaver = members.pop()!;
  await append(groupStream(groupId), count + 1, [
    { type: 'identity.group-member-removed.v1', data: { groupId, userId: leaver } },
  ]);
  // A state is read as it is now, so it may be told by an earlier event already: nothing of those may be left to relay.
  await relayedToTheHead();
  await eventually(() => expect(groupsOf([leaver])).toEqual([[]]));
  known.delete(`user:${leaver}`);
  statements = 0;
  const started = performance.now();
  await append(groupStream(groupId), count + 2, [
    { type: 'identity.group-deleted.v1', data: { groupId } },
  ]);
  await eventually(() => expect(groupsOf(members)).toEqual(members.map(() => [])), {
    timeoutMs: 60_000,
  });
  test.platform.log.info({ count, ms: performance.now() - started }, 'a group was deleted');
  expect(known.get(`group:${groupId}`)).toBeNull();
  expect(known.has(`user:${leaver}`)).toBe(false);
  return statements;
}

describe('the end of a large group', () => {
  it('reaches every member, by as many statements for a chunk of members as for one', async () => {
    const few = await costOfDeleting(3);
    expect(few).toBeGreaterThan(0);
    const extraChunks = Math.floor(MANY / CHUNK);
    expect(await costOfDeleting(MANY)).toBeLessThanOrEqual(few * (1 + extraChunks));
  }, 120_000);
});
