import { counter, gauge } from '../metrics/metric.ts';
import type { OutgoingMessage } from '@gatehouse/event-sourcing';

const consumer = ['topic', 'group'] as const;

const published = counter({
  name: 'gatehouse_bus_published_messages_total',
  help: 'Messages that the bus has taken from this process.',
  labels: ['topic'],
});
const publishedBytes = counter({
  name: 'gatehouse_bus_published_bytes_total',
  help: 'The values of these messages, in bytes.',
  labels: ['topic'],
});
const publishFailures = counter({
  name: 'gatehouse_bus_publish_failures_total',
  help: 'Batches that the bus did not take; whoever publishes tries again.',
  labels: ['topic'],
});
export const consumedMessages = counter({
  name: 'gatehouse_bus_consumed_messages_total',
  help: 'Messages that a group has dealt with in this process; what came twice counts twice.',
  labels: consumer,
});
export const batchRetries = counter({
  name: 'gatehouse_bus_batch_retries_total',
  help: 'Batches that a group did not take and that are tried again.',
  labels: consumer,
});
export const deadLetters = counter({
  name: 'gatehouse_bus_dead_letters_total',
  help: 'Messages that a group parked in the dead-letter topic, as they can never be applied.',
  labels: consumer,
});
export const partitionsStopped = gauge({
  name: 'gatehouse_bus_partitions_stopped',
  help: 'ALARM above 0: partitions that security depends on and that stand still on a message which cannot be applied.',
  labels: consumer,
});
export const consumerLag = gauge({
  name: 'gatehouse_bus_consumer_lag_messages',
  help: 'Messages that wait for a group on the partitions that this process reads; as last seen, at most ten seconds ago.',
  labels: consumer,
});
const restarts = counter({
  name: 'gatehouse_bus_consumer_restarts_total',
  help: 'Consumers that were lost or stuck and were replaced by a new one.',
  labels: ['group'],
});
export const busConnected = gauge({
  name: 'gatehouse_bus_connected',
  help: '1 while the bus answers this process.',
});

/** Has everything of a group there from the start, so that its first dead letter is seen to be one more than none. */
export function announceGroup(group: string, topics: readonly { readonly name: string }[]): void {
  restarts.inc({ group }, 0);
  for (const { name: topic } of topics) {
    consumedMessages.inc({ topic, group }, 0);
    deadLetters.inc({ topic, group }, 0);
    partitionsStopped.add({ topic, group }, 0);
  }
}

/** The group by which readers of state show: each of them is in a group of its own. */
export const STATE_READER = 'state-reader';

/** Counts a consumer that was replaced; readers of state have made-up groups, which are no label. */
export function countRestart(group: string): void {
  restarts.inc({ group: group.startsWith('gatehouse.reader.') ? STATE_READER : group });
}

/** Publishes, and counts what was taken. */
export async function measuredPublish(
  topic: string,
  messages: readonly OutgoingMessage[],
  publish: () => Promise<void>,
): Promise<void> {
  try {
    await publish();
  } catch (error) {
    publishFailures.inc({ topic });
    throw error;
  }
  published.inc({ topic }, messages.length);
  publishedBytes.inc(
    { topic },
    messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
  );
}
