import { randomUUID } from 'node:crypto';
import { topics, type RecordedEvent } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { ProjectionRunner } from '../projection/projection-runner.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { toMessage } from './event-message.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { PostgresEventStore } from './postgres-event-store.ts';

const OLD = 'identity.group-created.v1';
const NEWER = 'identity.group-created.v2';

let test: TestPlatform;
let superuser: pg.Client;
let folding: ProjectionRunner;
let seen: string[];

beforeEach(async () => {
  test = await startTestPlatform({
    schemas: [
      { schema: 'identity', folders: [platformMigrations.eventStore] },
      { schema: 'admin', folders: [platformMigrations.projection] },
    ],
  });
  superuser = new pg.Client({ connectionString: test.ownerUrl });
  await superuser.connect();
  seen = [];
  folding = new ProjectionRunner({
    name: 'of-this-build',
    database: test.platform.database('admin'),
    bus: test.platform.bus,
    topics: [topics.identity],
    projections: [{ name: 'seen', tables: [], apply: async (_, { id }) => void seen.push(id) }],
  });
});

afterEach(async () => {
  await folding.stop();
  await superuser.end();
  await test.stop();
});

const event = (stream: string, position: number): RecordedEvent<typeof OLD> => ({
  id: randomUUID(),
  stream,
  version: 1,
  position,
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'service', id: 'test', name: 'test' },
  correlationId: 'c',
  type: OLD,
  data: { groupId: stream, displayName: 'A group' },
});

/** Two streams whose events lie on different partitions. */
function apart(): readonly [string, string] {
  const { bus } = test.platform;
  const first = `group-${randomUUID()}`;
  for (;;) {
    const second = `group-${randomUUID()}`;
    const partitions = [first, second].map((stream) => bus.partitionOf(topics.identity, stream));
    if (partitions[0] !== partitions[1]) return [first, second];
  }
}

describe('what a newer release published', () => {
  it.each([
    ['a version that this build does not know', { storedAs: { type: NEWER, data: {} } }],
    [
      'a field that this build does not know',
      { storedAs: { type: OLD, data: { groupId: 'g', displayName: 'G', colour: 'red' } } },
    ],
  ])('stops the partition at %s, with an alarm, and no other', async (_what, over) => {
    const { bus } = test.platform;
    const [stopped, other] = apart();
    const before = event(stopped, 1);
    const newer = { ...event(stopped, 2), ...over };
    const after = event(stopped, 3);
    const elsewhere = event(other, 4);
    await bus.publish(topics.identity, [before, newer, after, elsewhere].map(toMessage));
    await folding.start();
    await eventually(() => expect(seen.toSorted()).toEqual([before.id, elsewhere.id].toSorted()));
    await eventually(async () =>
      expect(await bus.health()).toMatchObject({
        healthy: false,
        detail: expect.stringContaining(over.storedAs.type),
      }),
    );
    const { rows } = await superuser.query<{ next_offset: string }>(
      'select next_offset from admin.projection_cursor where partition = $1',
      [bus.partitionOf(topics.identity, stopped)],
    );
    expect(rows.map((row) => Number(row.next_offset))).toEqual([1]);
    expect(seen).not.toContain(after.id);
  });
});

describe('what a newer release appended', () => {
  const append = async ({ position, stream, ...rest }: RecordedEvent, type: string) => {
    await superuser.query(
      `insert into identity.event (position, stream, version, id, type, data, actor, correlation_id, occurred_at)
       values ($1, $2, 1, $3, $4, $5, $6, 'c', now())`,
      [position, stream, rest.id, type, rest.data, rest.actor],
    );
    await superuser.query('update identity.event_head set position = $1', [position]);
  };

  it('is not decided upon by a build that does not know it', async () => {
    const store = new PostgresEventStore(test.platform.database('identity'));
    await append(event('group-1', 1), NEWER);
    await expect(store.readStream('group-1')).rejects.toThrow(
      `${NEWER} is not known to this build`,
    );
  });

  it('is left to the relay of a process that knows it', async () => {
    const database = test.platform.database('identity');
    let reads = 0;
    class Counting extends PostgresEventStore {
      override async readAll(after: number, limit: number): Promise<readonly RecordedEvent[]> {
        reads += 1;
        return super.readAll(after, limit);
      }
    }
    const store = new Counting(database);
    const { bus, log } = test.platform;
    const relay = new OutboxRelay({ database, store, bus, log });
    await append(event('group-1', 1), NEWER);
    await relay.start();
    await eventually(() => expect(reads).toBeGreaterThan(0));
    const lock = 'select pg_try_advisory_lock(hashtext($1)) as free';
    await eventually(async () => {
      const { rows } = await superuser.query<{ free: boolean }>(lock, [relay.name]);
      expect(rows).toEqual([{ free: true }]);
    });
    await relay.stop();
    const { rows } = await superuser.query('select from identity.checkpoint');
    expect(rows).toEqual([]);
  });
});
