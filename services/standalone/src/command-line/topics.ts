import { deadLetterTopicOf, topics } from '@gatehouse/event-catalog';
import {
  applyKafkaTopics,
  clusterSections,
  busSettings,
  configSection,
  createLogger,
  kafkaConnection,
  loadConfig,
  parkKafkaMessage,
  readBusAddress,
  replayKafkaDeadLetters,
  whyKafkaUnreachable,
  type KafkaOperationsOptions,
} from '@gatehouse/platform';
import { z } from 'zod';
import { exitCodes, Failure } from './exit-codes.ts';

/** What `gatehouse topics` needs to know. */
export const topicsConfig = configSection(
  'topics',
  'The command `gatehouse topics`, which looks after the topics of a cluster on Kafka.',
  z.strictObject({
    ...busSettings,
    replicationFactor: z
      .number()
      .int()
      .min(1)
      .max(9)
      .default(1)
      .describe(
        'On how many brokers each message lies: 3 in a cluster that may lose one without losing anything. Topics that are there must have as many.',
      ),
  }),
);

/** `gatehouse topics apply`: idempotent; refuses where a topic has another number of partitions or of replicas than is asked. */
export async function applyTopics(): Promise<void> {
  const { kafka, replicationFactor } = await settings();
  const wanted = Object.values(topics);
  // What is state is never parked: a newer message of its key heals it.
  const parked = wanted
    .filter((topic) => !topic.compacted)
    .map((topic) => deadLetterTopicOf(topic.name));
  const changes = await reaching(kafka, () =>
    applyKafkaTopics(kafka, [...wanted, ...parked], { replicationFactor }),
  );
  process.stdout.write(
    changes.length === 0 ? 'The topics are as they should be.\n' : `${changes.join('\n')}\n`,
  );
}

/** `gatehouse topics replay <topic>`: each dead letter goes back to its topic once, marked as a replay. */
export async function replayTopic(name: string): Promise<void> {
  const topic = Object.values(topics).find((known) => known.name === name);
  if (topic === undefined) throw new Failure(`there is no topic ${name}`, exitCodes.usage);
  if (topic.compacted) {
    throw new Failure(
      `${name} is a topic of state, of which nothing is ever parked: it has no dead letters to replay`,
      exitCodes.usage,
    );
  }
  const { kafka } = await settings();
  const count = await reaching(kafka, () => replayKafkaDeadLetters(kafka, topic));
  process.stdout.write(`${count} dead letters of ${name} were published again.\n`);
}

/** `gatehouse topics park <topic>/<partition>@<offset>`: who stands still on this message goes on without it. */
export async function parkMessage(place: string): Promise<void> {
  const [, name, partition, offset] = /^(.+)\/(\d+)@(\d+)$/.exec(place) ?? [];
  const topic = Object.values(topics).find((known) => known.name === name);
  if (topic === undefined || topic.compacted) {
    throw new Failure(
      `${place} names no message that could be parked: expected <topic>/<partition>@<offset>`,
      exitCodes.usage,
    );
  }
  const { kafka } = await settings();
  const message = { topic, partition: Number(partition), offset: Number(offset) };
  await reaching(kafka, () => parkKafkaMessage(kafka, message));
  process.stdout.write(`${place} is parked in ${deadLetterTopicOf(topic.name).name}.\n`);
}

/** Names the brokers where it is them who do not answer, or let nobody in. */
async function reaching<T>(
  { connection }: KafkaOperationsOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { name } = error as Error;
    if (!/^KafkaJS.*(?:Connection|NumberOfRetries|RequestTimeout|SASL|Broker)/.test(name))
      throw error;
    throw new Failure(
      `the bus at ${String(connection.brokers)} (GATEHOUSE_BUS_URL) cannot be used: ${whyKafkaUnreachable(error)}`,
    );
  }
}

async function settings(): Promise<{ kafka: KafkaOperationsOptions; replicationFactor: number }> {
  const { env } = process;
  const loaded = loadConfig([topicsConfig], {
    env,
    file: env['GATEHOUSE_CONFIG'],
    otherEnv: ['GATEHOUSE_CONFIG'],
    otherSections: clusterSections,
  });
  const { replicationFactor, ...bus } = loaded.topics;
  if (!bus.busUrl.startsWith('kafka')) {
    throw new Failure(
      'only a bus on Kafka has topics to look after; this one keeps its own',
      exitCodes.usage,
    );
  }
  const log = createLogger({ service: 'topics', level: 'error' });
  return {
    kafka: { connection: kafkaConnection(await readBusAddress(bus)), log },
    replicationFactor,
  };
}
