import type { RecordedEvent } from '@gatehouse/event-catalog';
import { isTracing, startSpan, traceparentOf, type Span } from '../tracing/span.ts';
import type { StateFeed } from './outbox-relay.ts';

// Each is a question to the database: a burst of changes must not ask for every one of them.
const MOST_QUESTIONS = 16;

/**
 * The traces that events were made in, while a relay carries these to the bus: one span in each, from which whoever
 * takes the messages goes on. A batch that is tried again is still the same carrying.
 */
export class CarriedTraces {
  readonly #name: string;
  readonly #spans = new Map<string, Span>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes on what is about to be published. */
  carry(events: readonly RecordedEvent[]): void {
    if (!isTracing()) return;
    for (const { traceparent, type, position } of events) {
      if (traceparent === undefined || this.#spans.has(traceparent)) continue;
      const attributes = { 'gatehouse.event.type': type, 'gatehouse.event.position': position };
      const span = startSpan(this.#name, { kind: 'producer', from: traceparent, attributes });
      this.#spans.set(traceparent, span);
    }
  }

  /** The event as it is published: those who hear of it go on from here. */
  carried(event: RecordedEvent): RecordedEvent {
    const traceparent = this.#onward(event);
    return traceparent === undefined ? event : { ...event, traceparent };
  }

  /** The keys that events touch in a feed, each with the traceparent of the last one that did; in one question, and without, where nothing is traced or very much is. */
  async touchedBy(
    feed: Pick<StateFeed, 'touchedBy'>,
    events: readonly RecordedEvent[],
  ): Promise<ReadonlyMap<string, string | undefined>> {
    const groups = this.#spans.size === 0 ? [] : byTrace(events);
    if (groups.length === 0 || groups.length > MOST_QUESTIONS)
      return new Map((await feed.touchedBy(events)).map((key) => [key, undefined]));
    const touched = await Promise.all(
      groups.map(async (group) => [await feed.touchedBy(group), this.#onward(group[0])] as const),
    );
    return new Map(
      touched.flatMap(([keys, traceparent]) => keys.map((key) => [key, traceparent] as const)),
    );
  }

  /** All that was taken on has been published. */
  arrived(): void {
    for (const span of this.#spans.values()) span.end();
    this.#spans.clear();
  }

  #onward(event: RecordedEvent | undefined): string | undefined {
    const span = this.#spans.get(event?.traceparent ?? '');
    return span === undefined ? undefined : traceparentOf(span);
  }
}

// The last group is the one whose last event is the newest.
function byTrace(events: readonly RecordedEvent[]): readonly RecordedEvent[][] {
  const groups = new Map<string | undefined, RecordedEvent[]>();
  for (const event of events) {
    const group = groups.get(event.traceparent) ?? [];
    groups.delete(event.traceparent);
    groups.set(event.traceparent, [...group, event]);
  }
  return [...groups.values()];
}
