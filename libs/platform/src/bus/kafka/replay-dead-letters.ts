import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';
import { REPLAY_GROUP, replayHeaders } from '../replay-headers.ts';
import type { KafkaOffsets } from './kafka-offsets.ts';

/**
 * Publishes again, to the topic they came from, the dead letters that were not replayed before; answers how many. Their
 * header `replay_of` says which message each one was. A crash in the middle may replay some twice.
 */
export async function replayDeadLetters(
  bus: Pick<EventBus, 'publish' | 'subscribe'>,
  offsets: KafkaOffsets,
  topic: TopicDefinition,
): Promise<number> {
  const parked = deadLetterTopicOf(topic.name);
  const replayed = await offsets.committedBy(REPLAY_GROUP, parked.name);
  const ranges = await offsets.rangesOf(parked.name);
  const behind = new Map(
    ranges
      .filter(({ partition, low, next }) => (replayed.get(partition) ?? low) < next)
      .map(({ partition, next }) => [partition, next]),
  );
  if (behind.size === 0) return 0;
  let count = 0;
  let isThrough!: () => void;
  const through = new Promise<void>((resolve) => {
    isThrough = resolve;
  });
  const subscription = await bus.subscribe({
    group: REPLAY_GROUP,
    topics: [parked],
    async handle({ partition, messages }) {
      await bus.publish(
        topic,
        messages.map((letter) => ({ ...letter, headers: replayHeaders(letter.headers) })),
      );
      count += messages.length;
      if (messages.at(-1)!.offset + 1 >= (behind.get(partition) ?? 0)) behind.delete(partition);
      if (behind.size === 0) isThrough();
    },
  });
  await through;
  await subscription.stop();
  return count;
}
