import { beatKeyFor, type Beat, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';

const EVERY_MS = 1_000;

/** Tells the readers of an owner's state topics, about once a second, that they have all there is. */
export class StateBeats {
  readonly #bus: EventBus;
  readonly #keys: ReadonlyMap<TopicDefinition, readonly string[]>;
  #lastSent = Number.NEGATIVE_INFINITY;

  constructor(bus: EventBus, topics: readonly TopicDefinition[]) {
    this.#bus = bus;
    this.#keys = new Map(topics.map((topic) => [topic, keysOf(topic, bus)]));
  }

  /** `beat.at` must have been taken before the log was read that held nothing above `beat.position`, and all of it published. */
  async send(beat: Beat): Promise<void> {
    const now = performance.now();
    if (now - this.#lastSent < EVERY_MS) return;
    const value = Buffer.from(JSON.stringify(beat));
    const headers = { 'content-type': 'application/json', position: String(beat.position) };
    await Promise.all(
      [...this.#keys].map(([topic, keys]) =>
        this.#bus.publish(
          topic,
          keys.map((key) => ({ key, value, headers })),
        ),
      ),
    );
    this.#lastSent = now;
  }
}

/** A key for each partition: there is no other way to address one. */
function keysOf(topic: TopicDefinition, bus: EventBus): string[] {
  return Array.from({ length: topic.partitions }, (_, partition) =>
    beatKeyFor(partition, (key) => bus.partitionOf(topic, key)),
  );
}
