import type { Actor, DomainEvent, RecordedEvent } from '@gatehouse/event-catalog';

/** One event to append, with what the store cannot know of itself. */
export type EventToAppend = DomainEvent & {
  readonly actor: Actor;
  readonly occurredAt: string;
  readonly correlationId: string;
  readonly causationId?: string;
};

/** Where an append left the stream and the log. */
export interface AppendReceipt {
  readonly version: number;
  readonly position: number;
}

/** The log of one service: streams with optimistic concurrency, and all events in commit order without a gap. It is also the outbox. */
export interface EventStore {
  /**
   * The events of a stream with a version greater than `after` (default 0: all), oldest first, upcast to the newest version; empty for a stream that does not exist.
   * No two events ever have the same id: the id found again at its version says that the log was not set back behind it.
   */
  readStream(stream: string, after?: number): Promise<readonly RecordedEvent[]>;
  /**
   * Appends all or nothing; throws ConcurrencyError unless the last version of the stream is exactly `expectedVersion`
   * (0 = does not exist): neither beyond it nor, as where the log was set back, short of it. So versions have no hole.
   */
  append(
    stream: string,
    expectedVersion: number,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt>;
  /** Events with a position greater than `after`, in order, at most `limit`. */
  readAll(after: number, limit: number): Promise<readonly RecordedEvent[]>;
  /** The highest committed position; 0 when empty. */
  head(): Promise<number>;
  /** Calls back soon after appends by anyone; at least once per burst, and never instead of polling. Returns the unsubscriber. */
  onAppended(listener: () => void): () => void;
}

/** The stream is not where it was read: somebody appended first, or the log was set back. Load, decide and append again. */
export class ConcurrencyError extends Error {
  constructor(stream: string, expectedVersion: number) {
    super(`stream ${stream} is not at version ${expectedVersion}`);
    this.name = 'ConcurrencyError';
  }
}
