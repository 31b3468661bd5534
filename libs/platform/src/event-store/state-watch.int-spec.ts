import { setTimeout as sleep } from 'node:timers/promises';
import { isBeat, topics } from '@gatehouse/event-catalog';
import type {
  EventBus,
  EventStore,
  EventToAppend,
  IncomingMessage,
  StateReader,
} from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { platformMigrations } from '../database/platform-migrations.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { OutboxRelay, type StateFeed } from './outbox-relay.ts';
import { PostgresEventStore } from './postgres-event-store.ts';

const topic = topics.principalsState;
const key = 'group:g';

let test: TestPlatform;
let store: PostgresEventStore;
let relay: OutboxRelay;
let reader: { stop(): Promise<void> };
const now = new Map<string, unknown>();
const said: IncomingMessage[] = [];
const feed: StateFeed = {
  topic,
  touchedBy: () => [key],
  async load(keys) {
    return new Map([...now].filter(([each]) => keys.includes(each)));
  },
  check: (_key, value) =>
    value === null ? null : z.strictObject({ name: z.string() }).parse(JSON.parse(String(value))),
};
const startRelay = async (): Promise<void> => {
  const { bus, log } = test.platform;
  const database = test.platform.database('identity');
  relay = new OutboxRelay({ database, store, bus, log, feeds: [feed] });
  await relay.start();
};

beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
  store = new PostgresEventStore(test.platform.database('identity'));
  reader = await test.platform.bus.readAll(topic, (message) => {
    if (!isBeat(message)) said.push(message);
  });
});
afterAll(async () => {
  await reader.stop();
  await test.stop();
});
beforeEach(async () => {
  await startRelay();
  await becomes({ name: 'old' });
  await becomes({ name: 'new' });
});
afterEach(() => relay.stop());

let version = 0;
async function becomes(state: unknown): Promise<void> {
  if (state === undefined) now.delete(key);
  else now.set(key, state);
  const event: EventToAppend = {
    type: 'identity.group-created.v1',
    data: { groupId: 'g', displayName: String(version) },
    actor: { kind: 'service', id: 'test', name: 'test' },
    occurredAt: '2026-01-01T00:00:00.000Z',
    correlationId: 'c',
  };
  const { position } = await store.append('group-g', version, [event]);
  version += 1;
  await eventually(() => expect(said.at(-1)?.headers['position']).toBe(String(position)));
}

const last = (): unknown => JSON.parse(String(said.at(-1)?.value));
const sayAgain = (message: IncomingMessage): Promise<void> =>
  test.platform.bus.publish(topic, [message]);

describe('a relay that cannot start', () => {
  it('leaves no readers behind, so that it can be started again', async () => {
    await relay.stop();
    const { bus, log } = test.platform;
    const running = new Set<StateReader>();
    let isAway = true;
    const flaky: EventBus = {
      publish: (of, messages) => bus.publish(of, messages),
      subscribe: (options) => bus.subscribe(options),
      partitionOf: (of, each) => bus.partitionOf(of, each),
      health: () => bus.health(),
      close: () => bus.close(),
      async readAll(of, handle) {
        if (isAway && of === topics.policyState) throw new Error('the bus is away');
        const opened = await bus.readAll(of, handle);
        running.add(opened);
        const stop = async (): Promise<void> => {
          running.delete(opened);
          await opened.stop();
        };
        return { caughtUp: opened.caughtUp, lost: opened.lost, stop };
      },
    };
    let listeners = 0;
    const counted: EventStore = {
      readStream: (stream, after) => store.readStream(stream, after),
      append: (stream, expected, events) => store.append(stream, expected, events),
      readAll: (after, limit) => store.readAll(after, limit),
      head: () => store.head(),
      onAppended(listener) {
        listeners += 1;
        return store.onAppended(listener);
      },
    };
    const database = test.platform.database('identity');
    const feeds = [feed, { ...feed, topic: topics.policyState }];
    relay = new OutboxRelay({ database, store: counted, bus: flaky, log, feeds });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(relay.start()).rejects.toThrow('the bus is away');
      expect(running.size).toBe(0);
    }
    isAway = false;
    await relay.start();
    expect([running.size, listeners]).toEqual([2, 1]);
    await relay.stop();
    expect(running.size).toBe(0);
  });
});

describe('a state topic', () => {
  it('ends with the newest state again after an older one was published once more, and then rests', async () => {
    const old = said.at(-2)!;
    const count = said.length;
    await sayAgain(old);
    await eventually(() => expect(said.length).toBe(count + 2));
    expect(said.at(-2)!.value).toEqual(old.value);
    expect(last()).toEqual({ name: 'new' });
    expect(Number(said.at(-1)!.headers['position'])).toBeGreaterThan(
      Number(old.headers['position']),
    );
    await sleep(500);
    expect(said.length).toBe(count + 2);
  });

  it.each([
    ['broken', '{'],
    ['of another shape', '{"name":["new"]}'],
  ])(
    'ends with what can be read again after something was published that is %s, told where readers take it',
    async (_how, garbage) => {
      for (const headers of [{ position: String(version) }, {}]) {
        const count = said.length;
        await test.platform.bus.publish(topic, [{ key, value: Buffer.from(garbage), headers }]);
        await eventually(() => expect(said.length).toBe(count + 2));
        expect(last()).toEqual({ name: 'new' });
        // Of the same position as what could not be read, which readers have taken for just before it.
        expect(said.at(-1)!.headers['position']).toBe(String(version));
      }
    },
  );

  it('is told once what nobody can read as its owner has it, and not again and again', async () => {
    const count = said.length;
    await becomes({ name: 7 });
    await sleep(700);
    expect(said.length).toBe(count + 1);
    await becomes({ name: 'new' });
    expect(last()).toEqual({ name: 'new' });
  });

  it('forgets again what is gone', async () => {
    const alive = said.at(-1)!;
    await becomes(undefined);
    await sayAgain(alive);
    await eventually(() =>
      expect([said.at(-2)!.value, said.at(-1)!.value]).toEqual([alive.value, null]),
    );
  });

  it('is left alone where nothing went astray, whatever is repeated', async () => {
    await sayAgain(said.at(-1)!);
    const count = said.length + 1;
    await relay.stop();
    await startRelay();
    await sleep(700);
    expect(said.length).toBe(count);
  });
});
