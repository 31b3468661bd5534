import { topics, upcastWith, type RecordedEvent } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { PostgresEventStore } from './postgres-event-store.ts';

// As if the one were the version before of the other: the catalogue has no second version yet.
const OLDER = 'identity.group-renamed.v1';
const NEWEST = 'identity.group-created.v1';
const bringForward = upcastWith([
  {
    from: OLDER,
    to: NEWEST,
    upcast: (data) => ({ ...(data as object), displayName: 'brought forward' }),
  },
]);

const STREAM = 'group-1';
const written = { groupId: '1', displayName: 'as written' };
const read = { groupId: '1', displayName: 'brought forward' };

let test: TestPlatform;
let store: PostgresEventStore;
let folded: RecordedEvent[];

beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
  folded = [];
  const projection = {
    name: 'folded',
    tables: [],
    apply: async (_: unknown, event: RecordedEvent) => void folded.push(event),
  };
  const database = test.platform.database('identity');
  store = new PostgresEventStore(database, [projection], bringForward);
  await store.append(STREAM, 0, [
    {
      type: OLDER,
      data: written,
      actor: { kind: 'service', id: 'test', name: 'test' },
      occurredAt: '2026-01-01T00:00:00.000Z',
      correlationId: 'c',
    },
  ]);
});

afterAll(() => test.stop());

describe('an event that was written in an older version', () => {
  const newest = { type: NEWEST, data: read };

  it('is read in the newest by commands, relays and read tables, also while it is appended', async () => {
    expect(await store.readStream(STREAM)).toMatchObject([newest]);
    expect(await store.readAll(0, 10)).toMatchObject([newest]);
    await store.rebuildProjections();
    expect(folded).toMatchObject([newest, newest]);
  });

  it('is published as it was written, for consumers of the release before', async () => {
    const { bus, log } = test.platform;
    const heard: { readonly type: string | undefined; readonly data: unknown }[] = [];
    const subscription = await bus.subscribe({
      group: 'of-the-release-before',
      topics: [topics.identity],
      handle: async ({ messages }) => {
        for (const { headers, value } of messages)
          heard.push({ type: headers['ce_type'], data: JSON.parse(String(value)) });
      },
    });
    const relay = new OutboxRelay({
      database: test.platform.database('identity'),
      store,
      bus,
      log,
    });
    await relay.start();
    await eventually(() => expect(heard).toEqual([{ type: OLDER, data: written }]));
    await relay.stop();
    await subscription.stop();
  });
});
