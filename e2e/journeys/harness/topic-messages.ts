import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import kafkajs from 'kafkajs';
import pg from 'pg';

/** A message as anybody finds it who reads the bus. */
export interface TopicMessage {
  readonly key: string | null;
  readonly headers: { readonly [name: string]: string };
  readonly value: string | null;
}

/** All that a topic holds: on the brokers of `kafka://`, read as a stranger does who knows nothing of our rules, or in the log of `postgres://`. */
export function messagesOf(busUrl: string, topic: string): Promise<readonly TopicMessage[]> {
  return busUrl.startsWith('kafka://')
    ? readBroker(busUrl.slice('kafka://'.length), topic)
    : readLog(busUrl, topic);
}

async function readBroker(bootstrap: string, topic: string): Promise<readonly TopicMessage[]> {
  const stranger = new kafkajs.Kafka({
    clientId: 'stranger',
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = stranger.admin();
  await admin.connect();
  const ranges = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const count = ranges.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  if (count === 0) return [];
  const consumer = stranger.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 });
  const found: TopicMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message: { key, value, headers = {} } }) => {
      const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
      found.push({
        key: key && String(key),
        headers: Object.fromEntries(texts),
        value: value && String(value),
      });
    },
  });
  const enough = { timeoutMs: 40_000, everyMs: 100 };
  await eventually(() => {
    if (found.length < count) throw new Error(`${topic}: ${found.length} of ${count} messages`);
  }, enough);
  await consumer.disconnect();
  return found;
}

async function readLog(databaseUrl: string, topic: string): Promise<readonly TopicMessage[]> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const { rows } = await database.query<TopicMessage>(
    `select key, headers, convert_from(value, 'UTF8') as value from bus.message
       where topic = $1 order by partition, "offset"`,
    [topic],
  );
  await database.end();
  return rows;
}
