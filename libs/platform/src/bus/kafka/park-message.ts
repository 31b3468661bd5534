import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, IncomingMessage } from '@gatehouse/event-sourcing';
import { parkingHeaders } from '../parked-letters.ts';
import type { KafkaOffsets } from './kafka-offsets.ts';

/** A message by where it lies, as alarms name it. */
export interface MessagePlace {
  readonly topic: TopicDefinition;
  readonly partition: number;
  readonly offset: number;
}

const PARKING_GROUP = 'gatehouse.parking';

/** Copies a message to the dead letters of its topic: whoever stands still on it passes it over then. Rejects where it does not lie there. */
export async function parkMessage(
  bus: Pick<EventBus, 'publish' | 'subscribe'>,
  offsets: KafkaOffsets,
  place: MessagePlace,
): Promise<void> {
  const ranges = await offsets.rangesOf(place.topic.name);
  const range = ranges.find(({ partition }) => partition === place.partition);
  if (range === undefined || place.offset < range.low || place.offset >= range.next)
    throw new Error(`no message lies at ${nameOf(place)}`);
  const message = await readMessage(bus, place);
  const headers = parkingHeaders(message, 'parked by hand');
  await bus.publish(deadLetterTopicOf(place.topic.name), [{ ...message, headers }]);
}

async function readMessage(
  bus: Pick<EventBus, 'subscribe'>,
  place: MessagePlace,
): Promise<IncomingMessage> {
  let found!: (message: IncomingMessage | undefined) => void;
  const search = new Promise<IncomingMessage | undefined>((resolve) => {
    found = resolve;
  });
  const subscription = await bus.subscribe({
    group: PARKING_GROUP,
    topics: [place.topic],
    from: 'latest',
    startAt: async (_topic, partition) =>
      partition === place.partition ? place.offset : undefined,
    async handle({ partition, messages }) {
      if (partition === place.partition) found(messages.find((m) => m.offset === place.offset));
    },
  });
  const message = await search;
  await subscription.stop();
  if (message === undefined) throw new Error(`no message lies at ${nameOf(place)} any more`);
  return message;
}

function nameOf({ topic, partition, offset }: MessagePlace): string {
  return `${topic.name}/${partition}@${offset}`;
}
