import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { Logger } from '../../log/logger.ts';
import { applyTopics, type ApplyTopicsOptions } from './apply-topics.ts';
import { KafkaClient, type KafkaConnection } from './kafka-client.ts';
import { KafkaEventBus } from './kafka-event-bus.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { defaultKafkaTiming } from './kafka-timing.ts';
import { parkMessage, type MessagePlace } from './park-message.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';

/** Which cluster to look after. */
export interface KafkaOperationsOptions {
  readonly connection: KafkaConnection;
  readonly log: Logger;
}

/** Makes the topics of a cluster be as defined, and says what it changed: nothing when asked twice. Refuses before any change where a topic has another number of partitions or replicas. */
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
  options: KafkaOperationsOptions,
  topic: TopicDefinition,
): Promise<number> {
  return onBus(options, (bus, offsets) => replayDeadLetters(bus, offsets, topic));
}

/** Parks a message that a security topic stands still on, so that its readers go on without it. */
export async function parkKafkaMessage(
  options: KafkaOperationsOptions,
  place: MessagePlace,
): Promise<void> {
  await onBus(options, (bus, offsets) => parkMessage(bus, offsets, place));
}

async function onBus<T>(
  { connection, log }: KafkaOperationsOptions,
  work: (bus: KafkaEventBus, offsets: KafkaOffsets) => Promise<T>,
): Promise<T> {
  const bus = new KafkaEventBus({ connection, log });
  const offsets = new KafkaOffsets({ connection, log, requestMs: defaultKafkaTiming.requestMs });
  try {
    return await work(bus, offsets);
  } finally {
    await bus.close();
    await offsets.close();
  }
}
