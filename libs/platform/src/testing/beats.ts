import { beatKeyFor, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, IncomingMessage } from '@gatehouse/event-sourcing';

const valueOf = (at: Date, position: number): Buffer =>
  Buffer.from(JSON.stringify({ at: at.toISOString(), position }));

/** What a reader hears when the owners of these topics say at this time that all is told: a beat in each partition. */
export function beatsAt(at: Date, of: readonly TopicDefinition[]): IncomingMessage[] {
  return of.flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
      offset: 0,
      key: `~beat-${partition}`,
      value: valueOf(at, 1),
      headers: { position: '1' },
    })),
  );
}

/** Publishes the same, as owners do. */
export async function publishBeats(
  bus: EventBus,
  of: readonly TopicDefinition[],
  at: Date,
  position = 1,
): Promise<void> {
  for (const topic of of) {
    const messages = Array.from({ length: topic.partitions }, (_, partition) => ({
      key: beatKeyFor(partition, (key) => bus.partitionOf(topic, key)),
      value: valueOf(at, position),
      headers: { position: String(position) },
    }));
    await bus.publish(topic, messages);
  }
}
