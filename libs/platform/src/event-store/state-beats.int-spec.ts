import { randomUUID } from 'node:crypto';
import { beatSchema, isBeat, topics } from '@gatehouse/event-catalog';
import type { EventStore, EventToAppend, StateReader } from '@gatehouse/event-sourcing';
import { eventually, ManualClock } from '@gatehouse/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformMigrations } from '../database/platform-migrations.ts';
import { systemClock, type Clock } from '../platform.ts';
import { startTestPlatform, type TestPlatform } from '../testing/index.ts';
import { OutboxRelay, type StateFeed } from './outbox-relay.ts';
import { PostgresEventStore } from './postgres-event-store.ts';

interface Heard {
  readonly partition: number;
  /** Nothing for what is no beat. */
  readonly at: string | undefined;
  readonly position: number;
}

const topic = topics.principalsState;
const [EARLY, LATE] = ['2026-01-01T12:00:00.000Z', '2026-01-01T13:00:00.000Z'] as const;
const created = (): EventToAppend => ({
  type: 'identity.group-created.v1',
  data: { groupId: 'g', displayName: randomUUID() },
  actor: { kind: 'service', id: 'test', name: 'test' },
  occurredAt: EARLY,
  correlationId: 'c',
});
/** One entity of each stream that an event touches. */
const feed: StateFeed = {
  topic,
  touchedBy: (events) => events.map(({ stream }) => stream),
  load: async (keys) => new Map(keys.map((key) => [key, { key }])),
  check: (_key, value) => JSON.parse(String(value)) as unknown,
};

let test: TestPlatform;
let store: PostgresEventStore;
let reader: StateReader;
let heard: Heard[];
let relays: OutboxRelay[];

beforeEach(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
  store = new PostgresEventStore(test.platform.database('identity'));
  heard = [];
  relays = [];
  reader = await test.platform.bus.readAll(topic, (message) => {
    const { partition, value, headers } = message;
    const beat = isBeat(message) ? beatSchema.parse(JSON.parse(String(value))) : undefined;
    heard.push({
      partition,
      at: beat?.at,
      position: beat?.position ?? Number(headers['position']),
    });
  });
});
afterEach(async () => {
  for (const relay of relays) await relay.stop();
  await reader.stop();
  await test.stop();
});

async function startRelay(
  clock: Clock,
  { from = store, of = feed }: { from?: EventStore; of?: StateFeed } = {},
): Promise<OutboxRelay> {
  const { bus, log } = test.platform;
  const database = test.platform.database('identity');
  const relay = new OutboxRelay({ database, store: from, bus, log, clock, feeds: [of] });
  relays.push(relay);
  await relay.start();
  return relay;
}
const beats = (): Heard[] => heard.filter(({ at }) => at !== undefined);
const append = () => store.append(`group-${randomUUID()}`, 0, [created()]);

describe('the beats of an owner', () => {
  it('come in every partition, after all that they vouch for, again and again', async () => {
    const positions = [];
    for (let i = 0; i < 20; i += 1) positions.push((await append()).position);
    const last = Math.max(...positions);
    await startRelay(new ManualClock(EARLY));
    await eventually(() => expect(beats().length).toBeGreaterThan(topic.partitions));
    for (let partition = 0; partition < topic.partitions; partition += 1) {
      const here = heard.filter((each) => each.partition === partition);
      const first = here.findIndex(({ at }) => at !== undefined);
      expect(here[first]).toEqual({ partition, at: EARLY, position: last });
      expect(here.slice(first).every(({ at }) => at === EARLY)).toBe(true);
    }
  });

  it('vouch for no more than was there when they began to look', async () => {
    const clock = new ManualClock(EARLY);
    let isFirst = true;
    const slow: EventStore = {
      readStream: (stream, after) => store.readStream(stream, after),
      append: (stream, version, events) => store.append(stream, version, events),
      head: () => store.head(),
      onAppended: (listener) => store.onAppended(listener),
      readAll: async (after, limit) => {
        const found = await store.readAll(after, limit);
        if (isFirst) {
          isFirst = false;
          clock.set(LATE);
          await append();
        }
        return found;
      },
    };
    await startRelay(clock, { from: slow });
    await eventually(() => expect(beats().at(-1)?.at).toBe(LATE));
    for (const { at, position } of beats()) expect(position).toBe(at === EARLY ? 0 : 1);
    expect(beats()[0]?.at).toBe(EARLY);
  });

  it('are those of one replica, and of another when that one ends', async () => {
    const first = await startRelay(new ManualClock(EARLY));
    await eventually(() => expect(beats().length).toBe(topic.partitions));
    await startRelay(new ManualClock(LATE));
    await eventually(() => expect(beats().length).toBe(2 * topic.partitions));
    expect(new Set(beats().map(({ at }) => at))).toEqual(new Set([EARLY]));
    await first.stop();
    await eventually(() => expect(beats().at(-1)?.at).toBe(LATE));
  });

  it('are withheld while something could not be told', async () => {
    let isIll = true;
    const ill: StateFeed = {
      ...feed,
      load: async (keys) => {
        if (isIll) throw new Error('the database is gone');
        return feed.load(keys);
      },
    };
    await append();
    await startRelay(new ManualClock(EARLY), { of: ill });
    await sleep(300);
    expect(heard).toEqual([]);
    isIll = false;
    await eventually(() => expect(beats().length).toBe(topic.partitions));
    expect(heard[0]?.at).toBeUndefined();
  });

  it('end where a topic tells of more than the log holds, and with them all that is told, until a person has seen to it', async () => {
    const { bus } = test.platform;
    const first = await startRelay(systemClock);
    await eventually(() => expect(beats().length).toBe(topic.partitions));
    // Legible or not: a newer release may have said it, before both release and database were taken back.
    const told = [{ key: 'group:lost', value: Buffer.from('{'), headers: { position: '5' } }];
    await bus.publish(topic, told);
    await eventually(() => expect(heard.at(-1)?.position).toBe(5));
    await sleep(300);
    const before = heard.length;
    for (let count = 0; count < 6; count += 1) await append();
    await sleep(1_500);
    expect(heard.length).toBe(before);
    // It has grown past that point, but what lies between is not what was told.
    await first.stop();
    const second = await startRelay(systemClock);
    await sleep(1_500);
    expect(heard.length).toBe(before);
    await second.stop();
    // Not by the service itself: it may not take this back.
    const owner = new pg.Client({ connectionString: test.ownerUrl });
    await owner.connect();
    await owner.query(`delete from identity.checkpoint where consumer = 'outbox set back'`);
    await owner.end();
    await startRelay(systemClock);
    await eventually(() => expect(heard.length).toBe(before + 6 + 1 + topic.partitions));
  });
});
