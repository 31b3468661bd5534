import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import {
  applyKafkaTopics,
  createLogger,
  KafkaEventBus,
  migrate,
  openBus,
  platformMigrations,
  type OpenedBus,
} from '@gatehouse/platform';
import { startThrowAwayKafka, startThrowAwayPostgres } from '@gatehouse/testing';
import { figure, quantile, type Figure } from './report.ts';

const WARM_UP = 300;
const MESSAGES = 2_000;
const EVERY_MS = 2;
const BATCHES = 40;
const BATCH = 500;
const VALUE_BYTES = 300;

type EventBus = OpenedBus['bus'];
type OutgoingMessage = Parameters<EventBus['publish']>[1][number];

const log = createLogger({ service: 'bench', level: 'error' });

interface Broker {
  open(): EventBus;
  prepare(topic: TopicDefinition): Promise<void>;
  stop(): Promise<void>;
}

/** From one process to another as far as the bus can tell: the publisher and the consumer share no connection. */
export async function busBench(): Promise<readonly Figure[]> {
  return [
    ...(await measure('PostgreSQL log', await postgresBroker())),
    ...(await measure('Apache Kafka', await kafkaBroker())),
  ];
}

async function measure(name: string, broker: Broker): Promise<Figure[]> {
  const [publisher, consumer] = [broker.open(), broker.open()];
  try {
    const single = await oneByOne(broker, publisher, consumer);
    const perSecond = await inBatches(broker, publisher, consumer);
    return [
      figure(`${name}: publish, p50`, 'ms', quantile(single.published, 0.5)),
      figure(`${name}: publish, p99`, 'ms', quantile(single.published, 0.99)),
      figure(`${name}: publish to handler, p50`, 'ms', quantile(single.handled, 0.5)),
      figure(`${name}: publish to handler, p99`, 'ms', quantile(single.handled, 0.99)),
      figure(`${name}: ${BATCH} at a time, through to the handler`, '1/s', perSecond),
    ];
  } finally {
    await broker.stop();
  }
}

async function oneByOne(
  broker: Broker,
  publisher: EventBus,
  consumer: EventBus,
): Promise<{ published: number[]; handled: number[] }> {
  const topic = newTopic();
  await broker.prepare(topic);
  const handled: number[] = [];
  const published: number[] = [];
  await consumer.subscribe({
    group: randomUUID(),
    topics: [topic],
    handle: async ({ messages }) => {
      for (const { headers } of messages) handled.push(performance.now() - Number(headers['at']));
    },
  });
  for (let i = 0; i < WARM_UP + MESSAGES; i += 1) {
    const at = performance.now();
    await publisher.publish(topic, [message(`key-${i % 50}`, at)]);
    published.push(performance.now() - at);
    await sleep(EVERY_MS);
  }
  while (handled.length < WARM_UP + MESSAGES) await sleep(10);
  return { published: published.slice(WARM_UP), handled: handled.slice(WARM_UP) };
}

async function inBatches(broker: Broker, publisher: EventBus, consumer: EventBus): Promise<number> {
  const topic = newTopic();
  await broker.prepare(topic);
  const seen = { count: 0 };
  await consumer.subscribe({
    group: randomUUID(),
    topics: [topic],
    handle: async ({ messages }) => {
      seen.count += messages.length;
    },
  });
  const began = performance.now();
  for (let i = 0; i < BATCHES; i += 1) {
    const batch = Array.from({ length: BATCH }, (_, n) => message(`key-${n % 50}`, began));
    await publisher.publish(topic, batch);
  }
  while (seen.count < BATCHES * BATCH) await sleep(1);
  return (BATCHES * BATCH * 1_000) / (performance.now() - began);
}

const newTopic = (): TopicDefinition => ({
  name: `bench.${randomUUID()}`,
  partitions: 6,
  compacted: false,
  security: false,
  retentionMs: null,
});

const message = (key: string, at: number): OutgoingMessage => ({
  key,
  value: Buffer.alloc(VALUE_BYTES, 'x'),
  headers: { at: String(at) },
});

async function postgresBroker(): Promise<Broker> {
  const postgres = await startThrowAwayPostgres({ durable: true });
  const url = await postgres.createDatabase();
  const plan = { schema: 'bus', role: 'gatehouse_bus', password: 'bus' };
  await migrate(url, [{ ...plan, folders: [platformMigrations.bus] }]);
  const opened: OpenedBus[] = [];
  return {
    open() {
      const one = openBus({ url }, log);
      opened.push(one);
      return one.bus;
    },
    prepare: async () => undefined,
    async stop() {
      await Promise.all(opened.map((one) => one.close()));
      await postgres.stop();
    },
  };
}

async function kafkaBroker(): Promise<Broker> {
  const kafka = await startThrowAwayKafka();
  const connection = { brokers: [kafka.bootstrap] };
  const opened: KafkaEventBus[] = [];
  return {
    open() {
      const bus = new KafkaEventBus({ connection, log });
      opened.push(bus);
      return bus;
    },
    async prepare(topic) {
      const topics = [topic, deadLetterTopicOf(topic.name)];
      await applyKafkaTopics({ connection, log }, topics, { replicationFactor: 1 });
    },
    async stop() {
      await Promise.all(opened.map((bus) => bus.close()));
      await kafka.stop();
    },
  };
}
