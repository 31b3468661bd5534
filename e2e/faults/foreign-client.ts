import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import type { Random } from './random.ts';

/** A message as it lies on the broker, to the byte. */
interface RawMessage {
  readonly partition?: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: kafkajs.IHeaders;
  readonly timestamp?: string;
}

/** Speaks to the broker as somebody would who is not Gatehouse: none of our rules, none of our names. */
export interface ForeignClient {
  /** All that a topic holds now. */
  readAll(topic: string): Promise<readonly RawMessage[]>;
  send(topic: string, messages: readonly RawMessage[]): Promise<void>;
  /** Publishes all that a topic holds once more, byte for byte, in an order of chance; answers how many. */
  resend(topic: string, random: Random): Promise<number>;
  /** Publishes what no consumer of ours can read; marked, so that the checker knows whose it is. */
  poison(topic: string, message: RawMessage): Promise<void>;
  /** What a topic holds of a key, in order. */
  readKey(topic: string, key: string): Promise<readonly RawMessage[]>;
  /** From now on these topics forget within seconds what compaction forgets in hours, removals too. */
  compactQuickly(topics: readonly string[]): Promise<void>;
  /** How far the partitions of a topic reach together. */
  endOf(topic: string): Promise<number>;
  close(): Promise<void>;
}

const AT_ONCE = 200;
/** The header of what a lane has put on a topic to poison it. */
export const POISON_HEADER = 'fault-lane-poison';

export async function openForeignClient(bootstrap: string): Promise<ForeignClient> {
  const kafka = new kafkajs.Kafka({
    clientId: 'foreign',
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const admin = kafka.admin();
  await producer.connect();
  await admin.connect();
  const send: ForeignClient['send'] = async (topic, messages) => {
    for (let start = 0; start < messages.length; start += AT_ONCE) {
      const part = messages.slice(start, start + AT_ONCE);
      await producer.send({ topic, acks: -1, messages: part.map((message) => ({ ...message })) });
    }
  };
  const readAll: ForeignClient['readAll'] = async (topic) => {
    const ranges = await admin.fetchTopicOffsets(topic);
    return readUntil(kafka, topic, new Map(ranges.map((range) => [range.partition, range.high])));
  };
  return {
    readAll,
    send,
    async resend(topic, random) {
      const messages = shuffled(await readAll(topic), random);
      await send(topic, messages);
      return messages.length;
    },
    poison: (topic, message) =>
      send(topic, [{ ...message, headers: { ...message.headers, [POISON_HEADER]: '1' } }]),
    async readKey(topic, key) {
      return (await readAll(topic)).filter((message) => String(message.key) === key);
    },
    async compactQuickly(names) {
      const settings = {
        'cleanup.policy': 'compact',
        'segment.ms': '500',
        'min.cleanable.dirty.ratio': '0.01',
        'delete.retention.ms': '500',
      };
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      const type = kafkajs.ConfigResourceTypes.TOPIC;
      const resources = names.map((name) => ({ type, name, configEntries }));
      await admin.alterConfigs({ validateOnly: false, resources });
    },
    async endOf(topic) {
      const ranges = await admin.fetchTopicOffsets(topic);
      return ranges.reduce((sum, { high }) => sum + Number(high), 0);
    },
    async close() {
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

async function readUntil(
  kafka: kafkajs.Kafka,
  topic: string,
  ends: Map<number, string>,
): Promise<RawMessage[]> {
  for (const [partition, end] of ends) if (Number(end) === 0) ends.delete(partition);
  const messages: RawMessage[] = [];
  if (ends.size === 0) return messages;
  const consumer = kafka.consumer({ groupId: `foreign.${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async ({ partition, message }: kafkajs.EachMessagePayload) => {
      const end = ends.get(partition);
      if (end === undefined) return;
      const { key, value, headers, timestamp } = message;
      messages.push({ partition, key, value, timestamp, ...(headers && { headers }) });
      if (Number(message.offset) + 1 >= Number(end)) ends.delete(partition);
      if (ends.size === 0) resolve();
    };
    consumer.run({ autoCommit: false, eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return messages;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  for (let i = left.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left;
}
