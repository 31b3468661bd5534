import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '@gatehouse/event-catalog';
import { ConcurrencyError, type EventToAppend } from '@gatehouse/event-sourcing';
import { describeEventStoreContract } from '@gatehouse/event-sourcing/testing';
import { Refusal } from '@gatehouse/problem-catalog';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { PostgresEventStore, type InlineProjection } from './postgres-event-store.ts';

let test: TestPlatform;
let superuser: pg.Client;

beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
  superuser = new pg.Client({ connectionString: test.ownerUrl });
  await superuser.connect();
  await superuser.query(`create table identity.seen (name text constraint seen_name_key unique, position bigint);
    grant all on identity.seen to gatehouse_identity`);
});

afterAll(async () => {
  await superuser.end();
  await test.stop();
});

const seen: InlineProjection = {
  name: 'seen',
  tables: ['seen'],
  refusals: { seen_name_key: 'user-name-taken' },
  async apply(client, event) {
    if (event.type !== 'identity.group-created.v1') return;
    await client.query('insert into seen (name, position) values ($1, $2)', [
      event.data.displayName,
      event.position,
    ]);
  },
};

const created = (displayName: string = randomUUID()): EventToAppend => ({
  type: 'identity.group-created.v1',
  data: { groupId: 'g', displayName },
  actor: { kind: 'service', id: 'test', name: 'test' },
  occurredAt: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
});

const open = (projections: InlineProjection[] = []): PostgresEventStore =>
  new PostgresEventStore(test.platform.database('identity'), projections);

// On a database of its own: it is set back.
describeEventStoreContract('the event store in PostgreSQL', async () => {
  const own = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
  const admin = new pg.Client({ connectionString: own.ownerUrl });
  await admin.connect();
  return {
    store: new PostgresEventStore(own.platform.database('identity')),
    async setBack(position) {
      await admin.query(`begin;
        alter table identity.event disable trigger all;
        delete from identity.event where position > ${position};
        alter table identity.event enable always trigger event_append_only_row;
        alter table identity.event enable always trigger event_append_only_table;
        update identity.event_head set position = ${position};
        commit`);
    },
    async close() {
      await admin.end();
      await own.stop();
    },
  };
});

describe('the event store in PostgreSQL', () => {
  it('reads back what was appended, enveloped', async () => {
    const store = open();
    const stream = `group-${randomUUID()}`;
    const receipt = await store.append(stream, 0, [created('one'), created('two')]);
    const events = await store.readStream(stream);
    expect(events.map(({ version, type, data }) => ({ version, type, data }))).toEqual([
      { version: 1, type: 'identity.group-created.v1', data: { groupId: 'g', displayName: 'one' } },
      { version: 2, type: 'identity.group-created.v1', data: { groupId: 'g', displayName: 'two' } },
    ]);
    expect(receipt).toEqual({ version: 2, position: events[1]?.position });
    expect(events[0]).toMatchObject({
      occurredAt: '2026-01-01T00:00:00.000Z',
      correlationId: 'c',
      stream,
    });
  });

  it('reads data back as it was written, key order and all', async () => {
    const store = open();
    const stream = `server-${randomUUID()}`;
    const inputSchema = { zulu: 1, alpha: { b: [], a: null } };
    const definition = { name: 'tool', inputSchema, description: 'x' };
    const digests = { behavior: '1', modelText: '2', cosmetic: '3' };
    const data = {
      slug: 's',
      serverInfo: { name: 'n', version: '1', protocolVersion: '2025-11-25', instructions: null },
      tools: [{ definition, digests, proposedClass: 'read' as const, proposedBecause: 'why' }],
    };
    await store.append(stream, 0, [{ ...created(), type: 'registry.catalogue-fetched.v1', data }]);
    const [event] = await store.readStream(stream);
    expect(JSON.stringify(event?.data)).toBe(JSON.stringify(data));
  });

  it('shows a tailing reader every event once, without a gap, while many write', async () => {
    const store = open();
    let position = await store.head();
    const start = position;
    const read: number[] = [];
    const writers = Array.from({ length: 8 }, async () => {
      for (let turn = 0; turn < 25; turn += 1)
        await store.append(`group-${randomUUID()}`, 0, [created(), created()]);
    });
    const writing = Promise.all(writers);
    while (read.length < 400) {
      const events: readonly RecordedEvent[] = await store.readAll(position, 37);
      read.push(...events.map((event) => event.position));
      position = events.at(-1)?.position ?? position;
    }
    await writing;
    expect(read).toEqual(Array.from({ length: 400 }, (_, index) => start + index + 1));
  });

  it('leaves no hole in the positions when an append is refused', async () => {
    const store = open();
    const stream = `group-${randomUUID()}`;
    const before = await store.append(stream, 0, [created()]);
    await expect(store.append(stream, 0, [created()])).rejects.toBeInstanceOf(ConcurrencyError);
    const after = await store.append(stream, 1, [created()]);
    expect(after.position).toBe(before.position + 1);
  });

  it('keeps inline read tables in the same transaction, and turns their constraints into catalogued refusals', async () => {
    const store = open([seen]);
    const name = randomUUID();
    await store.append(`group-${randomUUID()}`, 0, [created(name)]);
    const head = await store.head();
    const clash = store.append(`group-${randomUUID()}`, 0, [created(name)]);
    await expect(clash).rejects.toMatchObject({ code: 'user-name-taken' });
    await expect(clash).rejects.toBeInstanceOf(Refusal);
    expect(await store.head()).toBe(head);
  });

  it('rebuilds its inline read tables from the log', async () => {
    await superuser.query('delete from identity.seen; delete from identity.checkpoint');
    const store = open([{ ...seen, refusals: {}, apply: insertIgnoringDoubles }]);
    const head = await store.rebuildProjections();
    expect(head).toBe(await store.head());
    const { rows } = await superuser.query<{ count: number }>('select count(*) from identity.seen');
    const { rows: logged } = await superuser.query<{ count: number }>(
      `select count(distinct data->>'displayName') from identity.event`,
    );
    expect(rows[0]?.count).toBe(logged[0]?.count);
  });

  it.each([
    'update identity.event set type = $$x$$',
    'delete from identity.event',
    'truncate identity.event',
  ])('cannot be rewritten, by its own role or by a superuser in replica mode: %s', async (sql) => {
    await open().append(`group-${randomUUID()}`, 0, [created()]);
    await expect(test.platform.database('identity').pool.query(sql)).rejects.toThrow(
      /permission denied/,
    );
    await superuser.query('set session_replication_role = replica');
    await expect(superuser.query(sql)).rejects.toThrow(/append-only/);
    await superuser.query('set session_replication_role = origin');
  });
});

async function insertIgnoringDoubles(
  client: Parameters<InlineProjection['apply']>[0],
  event: RecordedEvent,
): Promise<void> {
  if (event.type !== 'identity.group-created.v1') return;
  await client.query('insert into seen (name, position) values ($1, $2) on conflict do nothing', [
    event.data.displayName,
    event.position,
  ]);
}
