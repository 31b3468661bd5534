import { randomUUID } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { MessageBatch, OutgoingMessage } from '@gatehouse/event-sourcing';
import { eventually, startTcpProxy } from '@gatehouse/testing';
import type { Admin } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../log/logger.ts';
import { exposition } from '../../metrics/registry.ts';
import { scraped } from '../../testing/scrape.ts';
import { KafkaClient } from './kafka-client.ts';
import { KafkaEventBus, type KafkaEventBusOptions } from './kafka-event-bus.ts';
import { applyKafkaTopics } from './kafka-operations.ts';

const connection = { brokers: [process.env['GATEHOUSE_TEST_KAFKA']!] };
const log = createLogger({ service: 'kafka-spec', level: 'silent' });
const one = { replicationFactor: 1 };
const timing = {
  pollMs: 100,
  heartbeatMs: 200,
  leaseMs: 1_500,
  retryFirstMs: 10,
  requestMs: 2_000,
};

const KEY_OF_REQUEST = 4;
const FETCH = 1;

const newTopic = (options: Partial<TopicDefinition> = {}): TopicDefinition => ({
  name: `spec.${randomUUID()}`,
  partitions: 1,
  compacted: false,
  security: false,
  retentionMs: null,
  ...options,
});
const message = (value: string): OutgoingMessage => ({
  key: 'k',
  value: Buffer.from(value),
  headers: {},
});

describe('Apache Kafka', () => {
  let cleanUp: (() => Promise<unknown>)[] = [];
  let admin: Admin;

  beforeEach(async () => {
    const client = new KafkaClient({ connection, log, requestMs: 2_000 });
    admin = client.kafka.admin();
    await admin.connect();
    cleanUp = [() => client.end(() => admin.disconnect())];
  });
  afterEach(async () => {
    for (const clean of cleanUp.toReversed()) await clean();
  });

  function startBus(options: Partial<KafkaEventBusOptions> = {}): KafkaEventBus {
    const bus = new KafkaEventBus({ connection, log, timing, ...options });
    cleanUp.push(() => bus.close());
    return bus;
  }
  const apply = (topic: TopicDefinition): Promise<string[]> =>
    applyKafkaTopics({ connection, log }, [topic, deadLetterTopicOf(topic.name)], one);

  it('serves publishers and consumers that were there before their topic', async () => {
    const topic = newTopic();
    const bus = startBus({ timing: { ...timing, joinPatienceMs: 100 } });
    const seen: string[] = [];
    await bus.subscribe({
      group: randomUUID(),
      topics: [topic],
      handle: async ({ messages }) => void seen.push(...messages.map((each) => String(each.value))),
    });
    await expect(bus.publish(topic, [message('early')])).rejects.toThrow();
    await apply(topic);
    await eventually(() => bus.publish(topic, [message('now')]));
    await eventually(() => expect(seen).toEqual(['now']), { timeoutMs: 10_000 });
  });

  it('tells of messages that retention took from under a running group', async () => {
    const topic = newTopic();
    await apply(topic);
    const alarms: string[] = [];
    const bus = startBus({ onAlarm: (alarm) => alarms.push(alarm) });
    const seen: string[] = [];
    let open!: () => void;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    cleanUp.push(async () => open());
    await bus.subscribe({
      group: 'holed',
      topics: [topic],
      async handle({ messages }) {
        seen.push(...messages.map((each) => String(each.value)));
        await gate;
      },
    });
    await bus.publish(topic, [message('0')]);
    await eventually(() => expect(seen).toEqual(['0']));
    for (const value of ['1', '2', '3']) await bus.publish(topic, [message(value)]);
    const partitions = [{ partition: 0, offset: '3' }];
    await admin.fetchTopicOffsets(topic.name);
    await admin.deleteTopicRecords({ topic: topic.name, partitions });
    open();
    await eventually(() => expect(seen).toEqual(['0', '3']));
    expect(alarms).toEqual([
      `holed stood at ${topic.name}/0@1, but the oldest that is left is 3: it goes on there`,
    ]);
  });

  it('tells a reader of state that its topic was made anew', async () => {
    const topic = newTopic({ compacted: true });
    await apply(topic);
    const alarms: string[] = [];
    const bus = startBus({ onAlarm: (alarm) => alarms.push(alarm) });
    const publisher = startBus();
    const seen: string[] = [];
    const reader = await bus.readAll(topic, ({ value }) => void seen.push(String(value)));
    await publisher.publish(topic, [message('1'), message('2'), message('3')]);
    await eventually(() => expect(seen).toEqual(['1', '2', '3']), { timeoutMs: 10_000 });
    await admin.deleteTopics({ topics: [topic.name] });
    // The brokers tell of the deleted topic for a moment longer.
    await eventually(async () => expect((await apply(topic)).join()).toContain(topic.name), {
      timeoutMs: 10_000,
      everyMs: 200,
    });
    await eventually(() => publisher.publish(topic, [message('new')]), { timeoutMs: 15_000 });
    expect(await reader.lost).toContain(`${topic.name}/0@3`);
    expect(alarms.join()).toContain(`${topic.name}/0@3`);
    expect(seen).toEqual(['1', '2', '3']);
    await reader.stop();
  });

  it('says that it is ill while the cluster does not answer, and replaces a client that hangs on a dead network', async () => {
    const topic = newTopic();
    await apply(topic);
    const port = Number(connection.brokers[0]!.split(':')[1]);
    const proxy = await startTcpProxy(port);
    cleanUp.push(() => proxy.stop());
    const bus = startBus({
      timing: { ...timing, requestMs: 500 },
      connection: {
        ...connection,
        socketFactory: ({ onConnect }) =>
          connectSocket({ port: proxy.port, host: '127.0.0.1' }, onConnect),
      },
    });
    const seen: string[] = [];
    await bus.subscribe({
      group: randomUUID(),
      topics: [topic],
      handle: async ({ messages }) => void seen.push(...messages.map((each) => String(each.value))),
    });
    await eventually(
      async () =>
        expect(await bus.health()).toEqual({
          healthy: true,
          detail: '1 brokers, 1 subscriptions, 0 of them waiting for their share',
        }),
      { timeoutMs: 10_000 },
    );
    proxy.freeze();
    expect((await bus.health()).detail).toContain('Kafka does not answer');
    await startBus().publish(topic, [message('meanwhile')]);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    proxy.thaw();
    await eventually(() => expect(seen).toContain('meanwhile'), { timeoutMs: 10_000 });
    await eventually(async () => expect((await bus.health()).healthy).toBe(true));
  });

  it('replaces a client that holds a partition and yet never gets its messages', async () => {
    const topic = newTopic();
    await apply(topic);
    const port = Number(connection.brokers[0]!.split(':')[1]);
    const fetching = new Set<Socket>();
    const bus = startBus({
      // So patient that only the lag can tell.
      timing: { ...timing, requestMs: 60_000, stuckMs: 900 },
      connection: {
        ...connection,
        socketFactory: ({ onConnect }) => {
          const socket = connectSocket({ port, host: '127.0.0.1' }, onConnect);
          const write = socket.write.bind(socket);
          socket.write = (data: Buffer | string): boolean => {
            const bytes = Buffer.from(data as string, 'binary');
            if (bytes.readInt16BE(KEY_OF_REQUEST) === FETCH) fetching.add(socket);
            return write(bytes);
          };
          return socket;
        },
      },
    });
    const seen: string[] = [];
    const recorded = {
      group: randomUUID(),
      topics: [topic],
      handle: async ({ messages }: MessageBatch) =>
        void seen.push(...messages.map((each) => String(each.value))),
    };
    await bus.subscribe(recorded);
    await eventually(() => expect(fetching.size).toBe(1));
    for (const socket of fetching) socket.pause();
    await startBus().publish(topic, [message('waiting')]);
    await eventually(() => expect(seen).toEqual(['waiting']), { timeoutMs: 15_000 });
    expect(fetching.size).toBeGreaterThan(1);
    const { value } = scraped((await exposition()).text);
    expect(
      value('gatehouse_bus_consumer_restarts_total', { group: recorded.group }),
    ).toBeGreaterThan(0);
  });

  it('lets an idle connection rest', async () => {
    const topic = newTopic();
    await apply(topic);
    const bus = startBus({ timing: { pollMs: 1_000 } });
    await bus.subscribe({ group: randomUUID(), topics: [topic], handle: async () => undefined });
    await bus.publish(topic, [message('warm')]);
    const original = globalThis.setTimeout;
    let timers = 0;
    globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
      timers += 1;
      return original(...args);
    }) as typeof original;
    try {
      await new Promise((resolve) => original(resolve, 1_000));
    } finally {
      globalThis.setTimeout = original;
    }
    // Without the patch it is some hundred a second for every connection.
    expect(timers).toBeLessThan(60);
  });
});
