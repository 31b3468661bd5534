import { randomUUID } from 'node:crypto';
import { topics } from '@gatehouse/event-catalog';
import type {
  EventBus,
  EventToAppend,
  SubscribeOptions,
  Subscription,
} from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { toMessage } from '../event-store/event-message.ts';
import { OutboxRelay } from '../event-store/outbox-relay.ts';
import { PostgresEventStore } from '../event-store/postgres-event-store.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { ProjectionRunner, type Projection } from './projection-runner.ts';

let test: TestPlatform;
let superuser: pg.Client;
let store: PostgresEventStore;

beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [
      { schema: 'identity', folders: [platformMigrations.eventStore] },
      { schema: 'admin', folders: [platformMigrations.projection] },
    ],
  });
  superuser = new pg.Client({ connectionString: test.ownerUrl });
  await superuser.connect();
  await superuser.query(`create table admin.seen (stream text, version int, position bigint);
    grant all on admin.seen to gatehouse_admin`);
  store = new PostgresEventStore(test.platform.database('identity'));
});

afterAll(async () => {
  await superuser.end();
  await test.stop();
});

const seen: Projection = {
  name: 'seen',
  tables: ['seen'],
  async apply(client, event) {
    await client.query('insert into seen values ($1, $2, $3)', [
      event.stream,
      event.version,
      event.position,
    ]);
  },
};

const created = (): EventToAppend => ({
  type: 'identity.group-created.v1',
  data: { groupId: 'g', displayName: randomUUID() },
  actor: { kind: 'service', id: 'test', name: 'test' },
  occurredAt: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
});

const runner = (name: string, projection: Projection = seen): ProjectionRunner =>
  new ProjectionRunner({
    name,
    database: test.platform.database('admin'),
    bus: test.platform.bus,
    topics: [topics.identity],
    projections: [projection],
  });

const relay = (feeds: ConstructorParameters<typeof OutboxRelay>[0]['feeds'] = []): OutboxRelay =>
  new OutboxRelay({
    database: test.platform.database('identity'),
    store,
    bus: test.platform.bus,
    log: test.platform.log,
    feeds,
  });

async function seenPositions(): Promise<number[]> {
  const { rows } = await superuser.query<{ position: number }>(
    'select position from admin.seen order by position',
  );
  return rows.map((row) => row.position);
}

async function logPositions(): Promise<number[]> {
  return (await store.readAll(0, 10_000)).map((event) => event.position);
}

describe('from an event log to a read table of another service', () => {
  it('every event is applied once and waitFor tells when', async () => {
    const [relaying, folding] = [relay(), runner('once')];
    await relaying.start();
    await folding.start();
    const streams = Array.from({ length: 20 }, () => `group-${randomUUID()}`);
    for (const stream of streams) {
      const { position } = await store.append(stream, 0, [created(), created()]);
      await folding.waitFor('identity', stream, position);
      expect(await seenPositions()).toContain(position);
    }
    await folding.stop();
    await relaying.stop();
    expect(await seenPositions()).toEqual(await logPositions());
  });

  it('what a relay repeats after a crash is applied only once', async () => {
    await superuser.query(`delete from identity.checkpoint`);
    const folding = runner('once');
    const relaying = relay();
    await folding.start();
    await relaying.start();
    const stream = `group-${randomUUID()}`;
    const { position } = await store.append(stream, 0, [created()]);
    await folding.waitFor('identity', stream, position);
    await relaying.stop();
    await folding.stop();
    expect(await seenPositions()).toEqual(await logPositions());
  });

  it('a rebuild ends with the same table', async () => {
    const folding = runner('once');
    await folding.start();
    await folding.rebuild();
    expect(await seenPositions()).toEqual(await logPositions());
    await folding.stop();
  });

  it('a rebuild ends at the end of the topic where the cursor is past it, as after an owner was set back', async () => {
    await superuser.query(
      `update admin.projection_cursor set next_offset = 1000000, position = 1000000 where runner = 'once'`,
    );
    const folding = runner('once');
    await folding.rebuild();
    expect(await seenPositions()).toEqual(await logPositions());
    await folding.stop();
  });

  it('an event and its cursor stand or fall together', async () => {
    await superuser.query('delete from admin.seen');
    let failures = 0;
    const faltering: Projection = {
      ...seen,
      async apply(client, event) {
        await seen.apply(client, event);
        failures += 1;
        if ([2, 3, 11, 20].includes(failures)) throw new Error('the database went away');
      },
    };
    const folding = runner('faltering', faltering);
    await folding.start();
    await eventually(async () => expect(await seenPositions()).toEqual(await logPositions()), {
      timeoutMs: 20_000,
    });
    await folding.stop();
  });

  it('what was applied is undone where the cursor cannot move, and applied once when it can', async () => {
    await superuser.query(`delete from admin.seen;
      create function admin.refuse_cursor() returns trigger language plpgsql as
        $$ begin raise exception 'the process ended before its cursor moved'; end $$;
      create trigger refuse_cursor before insert or update on admin.projection_cursor
        for each row when (new.runner = 'no-cursor') execute function admin.refuse_cursor()`);
    let applied = 0;
    const folding = runner('no-cursor', {
      ...seen,
      async apply(client, event) {
        await seen.apply(client, event);
        applied += 1;
      },
    });
    await folding.start();
    await eventually(() => expect(applied).toBeGreaterThan(0));
    expect(await seenPositions()).toEqual([]);
    await superuser.query('drop trigger refuse_cursor on admin.projection_cursor');
    await eventually(async () => expect(await seenPositions()).toEqual(await logPositions()), {
      timeoutMs: 20_000,
    });
    await folding.stop();
  });

  it('what two members have in hand at once, while their group is shared anew, is applied once', async () => {
    const stream = `group-${randomUUID()}`;
    await store.append(stream, 0, [created()]);
    const events = await store.readStream(stream);
    const messages = events.map((event, offset) => ({
      ...toMessage(event),
      topic: topics.identity.name,
      partition: 0,
      offset,
    }));
    const slow: Projection = {
      ...seen,
      async apply(client, event) {
        await seen.apply(client, event);
        await client.query('select pg_sleep(0.3)');
      },
    };
    const handlers: SubscribeOptions['handle'][] = [];
    const bus: Pick<EventBus, 'subscribe'> = {
      async subscribe({ handle }) {
        handlers.push(handle);
        return { stop: async () => undefined } as Subscription;
      },
    };
    const members = ['member', 'its heir'].map(
      () =>
        new ProjectionRunner({
          name: 'shared anew',
          database: test.platform.database('admin'),
          bus: bus as EventBus,
          topics: [topics.identity],
          projections: [slow],
        }),
    );
    for (const member of members) await member.start();
    const batch = { topic: topics.identity.name, partition: 0, messages };
    await Promise.all(handlers.map((handle) => handle(batch)));
    for (const member of members) await member.stop();
    const { rows } = await superuser.query('select 1 from admin.seen where stream = $1', [stream]);
    expect(rows).toHaveLength(1);
  });

  it('waitFor gives up with a catalogued refusal', async () => {
    const folding = runner('never-started');
    await expect(folding.waitFor('identity', 'group-x', 10_000_000, 50)).rejects.toMatchObject({
      code: 'read-model-behind',
    });
  });

  it('the state of what an event touched reaches its compacted topic, with the position, and a tombstone when it is gone', async () => {
    const gone = `group:${randomUUID()}`;
    const relaying = relay([
      {
        topic: topics.principalsState,
        touchedBy: (events) => [...events.map((event) => `stream:${event.stream}`), gone],
        load: async (keys) =>
          new Map(keys.filter((key) => key !== gone).map((key) => [key, { key }])),
        check: () => undefined,
      },
    ]);
    await relaying.start();
    const stream = `group-${randomUUID()}`;
    const { position } = await store.append(stream, 0, [created()]);
    const found = new Map<string, { value: unknown; position: string | undefined }>();
    const reader = await test.platform.bus.readAll(topics.principalsState, (message) => {
      found.set(message.key ?? '', {
        value: message.value === null ? null : JSON.parse(message.value.toString()),
        position: message.headers['position'],
      });
    });
    await eventually(() => {
      expect(found.get(`stream:${stream}`)).toEqual({
        value: { key: `stream:${stream}` },
        position: String(position),
      });
      expect(found.get(gone)?.value).toBeNull();
    });
    await reader.stop();
    await relaying.stop();
  });
});
