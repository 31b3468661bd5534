import { setTimeout as sleep } from 'node:timers/promises';
import { isBeat, topics } from '@gatehouse/event-catalog';
import type { EventToAppend, IncomingMessage } from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

  it('ends with what can be read again after something was published that cannot', async () => {
    for (const headers of [{ position: String(version) }, {}]) {
      const count = said.length;
      await test.platform.bus.publish(topic, [{ key, value: Buffer.from('{'), headers }]);
      await eventually(() => expect(said.length).toBe(count + 2));
      expect(last()).toEqual({ name: 'new' });
    }
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
