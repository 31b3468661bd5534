import { randomUUID } from 'node:crypto';
import { topics, type RecordedEvent } from '@gatehouse/event-catalog';
import type { EventToAppend, IncomingMessage } from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { OutboxRelay, type StateFeed } from '../event-store/outbox-relay.ts';
import { PostgresEventStore } from '../event-store/postgres-event-store.ts';
import { ProjectionRunner } from '../projection/projection-runner.ts';
import { recordSpans, type RecordedSpan, type RecordedSpans } from '../testing/record-spans.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { withSpan } from './span.ts';
import { readTraceparent } from './traceparent.ts';

let test: TestPlatform;
let store: PostgresEventStore;
let spans: RecordedSpans;
const asked: number[] = [];
const relays: OutboxRelay[] = [];

beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [
      { schema: 'identity', folders: [platformMigrations.eventStore] },
      { schema: 'admin', folders: [platformMigrations.projection] },
    ],
  });
  store = new PostgresEventStore(test.platform.database('identity'));
  spans = recordSpans();
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
  spans.forget();
});
afterAll(async () => {
  await spans.stop();
  await test.stop();
});

const feed: StateFeed = {
  topic: topics.principalsState,
  touchedBy(events) {
    asked.push(events.length);
    return events.flatMap(({ stream }) => [stream, 'shared']);
  },
  load: async (keys) => new Map(keys.map((key) => [key, { key }])),
  check: () => undefined,
};

async function relay(): Promise<void> {
  const { bus, log } = test.platform;
  const database = test.platform.database('identity');
  const started = new OutboxRelay({ database, store, bus, log, feeds: [feed] });
  relays.push(started);
  await started.start();
}

const created = (occurredAt = new Date().toISOString()): EventToAppend => ({
  type: 'identity.group-created.v1',
  data: { groupId: 'g', displayName: randomUUID() },
  actor: { kind: 'service', id: 'test', name: 'test' },
  occurredAt,
  correlationId: 'c',
});

const append = (stream: string, event = created()): ReturnType<PostgresEventStore['append']> =>
  store.append(stream, 0, [event]);

/** Every state message of a key since the test began, newest last. */
async function stateOf(...keys: string[]): Promise<Map<string, IncomingMessage>> {
  const found = new Map<string, IncomingMessage>();
  const reader = await test.platform.bus.readAll(topics.principalsState, (message) => {
    found.set(message.key ?? '', message);
  });
  await eventually(() => expect([...found.keys()]).toEqual(expect.arrayContaining(keys)));
  await reader.stop();
  return found;
}

/** As a process that is not told to trace would do it. */
async function untraced(work: () => Promise<unknown>): Promise<void> {
  await spans.stop();
  await work();
  spans = recordSpans();
}

const parentOf = (message: IncomingMessage | undefined): string | undefined =>
  readTraceparent(message?.headers['traceparent'])?.spanId;

const named = (name: string): readonly RecordedSpan[] =>
  spans.all().filter((span) => span.name === name);

describe('a trace', () => {
  it('goes on from the request through the log, the relay and the bus to whoever folds the event', async () => {
    const seen: RecordedEvent[] = [];
    const folding = new ProjectionRunner({
      name: 'traced',
      database: test.platform.database('admin'),
      bus: test.platform.bus,
      topics: [topics.identity],
      projections: [
        { name: 'seen', tables: [], apply: async (_client, event) => void seen.push(event) },
      ],
    });
    await folding.start();
    const stream = `group-${randomUUID()}`;
    const { position } = await withSpan('request', { from: null }, () => append(stream));
    const [stored] = await store.readStream(stream);
    await relay();
    await folding.waitFor('identity', stream, position, 20_000);
    await eventually(() => expect(named('relay identity')).toHaveLength(1));
    const request = spans.only('request');
    const appended = spans.only('append to identity');
    const relayed = spans.only('relay identity');
    const projected = spans.only('project identity.group-created.v1');
    expect(appended.parentId).toBe(request.id);
    expect(readTraceparent(stored?.traceparent)?.spanId).toBe(appended.id);
    expect(relayed.parentId).toBe(appended.id);
    expect(projected.parentId).toBe(relayed.id);
    expect(parentOf((await stateOf(stream)).get(stream))).toBe(relayed.id);
    const others = spans.all().filter(({ traceId }) => traceId !== request.traceId);
    expect(others.map(({ name }) => name)).toEqual(['wait for the read model']);
    await folding.stop();
  });

  it('is kept apart from others in the same batch; what several touched goes on in the newest', async () => {
    const [older, newer, other] = ['a', 'b', 'c'].map((name) => `group-${name}-${randomUUID()}`);
    await untraced(() => append(other!));
    await withSpan('older', { from: null }, () => append(older!));
    await withSpan('newer', { from: null }, () => append(newer!));
    asked.length = 0;
    await relay();
    await eventually(() => expect(named('relay identity')).toHaveLength(2));
    const state = await stateOf(older!, newer!, other!);
    const relayOf = (request: string): string | undefined =>
      named('relay identity').find(({ traceId }) => traceId === spans.only(request).traceId)?.id;
    expect(parentOf(state.get(older!))).toBe(relayOf('older'));
    expect(parentOf(state.get(newer!))).toBe(relayOf('newer'));
    expect(parentOf(state.get('shared'))).toBe(relayOf('newer'));
    expect(state.get(other!)?.headers).not.toHaveProperty('traceparent');
    expect(asked).toEqual([1, 1, 1]);
  });

  it('costs a batch in which nothing is traced no question more', async () => {
    await untraced(async () => {
      for (let count = 0; count < 3; count += 1) await append(`group-${randomUUID()}`);
    });
    asked.length = 0;
    await relay();
    await eventually(() => expect(asked).toEqual([3]));
    expect(named('relay identity')).toEqual([]);
  });

  it('of long ago does not go on where tables are folded anew', async () => {
    let applied = 0;
    const folding = new ProjectionRunner({
      name: 'anew',
      database: test.platform.database('admin'),
      bus: test.platform.bus,
      topics: [topics.identity],
      projections: [{ name: 'n', tables: [], apply: async () => void (applied += 1) }],
    });
    const stream = `group-${randomUUID()}`;
    const old = created('2026-01-01T00:00:00.000Z');
    await withSpan('request', { from: null }, () => append(stream, old));
    await relay();
    await folding.start();
    await eventually(async () => expect(applied).toBe(await store.head()));
    const { traceId } = spans.only('request');
    const projected = named('project identity.group-created.v1');
    expect(projected.map((span) => span.traceId)).not.toContain(traceId);
    await folding.stop();
  });
});
