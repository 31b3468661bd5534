import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { Logger } from '../../log/logger.ts';
import { applyTopics, type ApplyTopicsOptions } from './apply-topics.ts';
import { KafkaClient, type KafkaConnection } from './kafka-client.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { defaultKafkaTiming } from './kafka-timing.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';

export interface KafkaOperationsOptions {
  readonly connection: KafkaConnection;
  readonly log: Logger;
}

/** Makes the topics of a cluster be as defined, and says what it changed: nothing when asked twice. Refuses to change a number of partitions. */
export async function applyKafkaTopics(
  { connection, log }: KafkaOperationsOptions,
  topics: readonly TopicDefinition[],
  options: ApplyTopicsOptions,
): Promise<string[]> {
  const client = new KafkaClient({ connection, log, requestMs: defaultKafkaTiming.requestMs });
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    return await applyTopics(admin, topics, options);
  } finally {
    await client.end(() => admin.disconnect());
  }
}

/** Publishes again the dead letters of a topic on a cluster that were not replayed before; answers how many. */
export async function replayKafkaDeadLetters(
  { connection, log }: KafkaOperationsOptions,
  topic: TopicDefinition,
): Promise<number> {
  const bus = new KafkaEventBus({ connection, log });
  const offsets = new KafkaOffsets({ connection, log, requestMs: defaultKafkaTiming.requestMs });
  try {
    return await replayDeadLetters(bus, offsets, topic);
  } finally {
    await bus.close();
    await offsets.close();
  }
}
