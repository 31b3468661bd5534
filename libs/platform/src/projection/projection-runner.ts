import type { RecordedEvent, ServiceName, TopicDefinition } from '@gatehouse/event-catalog';
import { topicOf } from '@gatehouse/event-catalog';
import type {
  EventBus,
  IncomingMessage,
  MessageBatch,
  Subscription,
} from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';
import pg from 'pg';
import { unhurried } from '../database/connection-settings.ts';
import type { ServiceDatabase, SqlClient } from '../database/service-database.ts';
import { fromMessage, positionOf } from '../event-store/event-message.ts';
import { withSpan } from '../tracing/span.ts';
import type { Worker } from '../worker/worker.ts';
import { appliedEvents, showProjection } from './projection-metrics.ts';

const HISTORY_AFTER_MS = 15 * 60_000;

/** A read table folded from other services' events. Applied in order per stream, each event once. */
export interface Projection {
  readonly name: string;
  readonly tables: readonly string[];
  apply(client: SqlClient, event: RecordedEvent): Promise<void>;
}

interface Cursor {
  nextOffset: number;
  position: number;
}

/**
 * Folds the topics of other services into this schema's read tables. The cursor moves in the transaction that applies
 * the events, so what comes twice is seen twice and applied once; the bus's own offsets do not matter.
 */
export class ProjectionRunner implements Worker {
  readonly name: string;
  readonly #database: ServiceDatabase;
  readonly #bus: EventBus;
  readonly #topics: readonly TopicDefinition[];
  readonly #projections: readonly Projection[];
  readonly #applied = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #subscription: Subscription | undefined;
  #stopShowing: (() => void) | undefined;
  #advancedAt = 0;

  constructor(deps: {
    name: string;
    database: ServiceDatabase;
    bus: EventBus;
    topics: readonly TopicDefinition[];
    projections: readonly Projection[];
  }) {
    this.name = deps.name;
    this.#database = deps.database;
    this.#bus = deps.bus;
    this.#topics = deps.topics;
    this.#projections = deps.projections;
  }

  async start(): Promise<void> {
    this.#advancedAt = Date.now();
    // A start that failed is tried again.
    this.#stopShowing?.();
    this.#stopShowing = showProjection(this.#labels, this.#applied, () => this.#advancedAt);
    this.#subscription = await this.#bus.subscribe({
      group: `gatehouse.${this.#database.service}.${this.name}`,
      topics: this.#topics,
      startAt: async (topic, partition) => {
        const { nextOffset, position } = await this.#readCursor(
          this.#database.pool,
          topic,
          partition,
        );
        this.#note(topic, partition, position);
        return nextOffset;
      },
      handle: (batch) => this.#handle(batch),
    });
  }

  async stop(): Promise<void> {
    this.#stopShowing?.();
    await this.#subscription?.stop();
    this.#subscription = undefined;
  }

  /** Empties every table and folds all topics anew from their oldest message to their end; resolves when that is reached, wherever the tables were before. Reads see partial tables until then. */
  async rebuild(): Promise<void> {
    await this.stop();
    await this.#database.transaction(async (client) => {
      for (const table of this.#projections.flatMap((projection) => projection.tables)) {
        await client.query(unhurried(`delete from ${pg.escapeIdentifier(table)}`));
      }
      await client.query('delete from projection_cursor where runner = $1', [this.name]);
    });
    this.#applied.clear();
    await this.start();
    // Not until the old cursor: a topic that was made anew, by an owner whose database was set back, may end before it.
    while (this.#subscription?.waiting !== 0) await this.#nextChange(100);
  }

  /** Resolves once the owner's event at `position` of `stream` is in the read tables; `read-model-behind` after `timeoutMs`. */
  async waitFor(
    owner: ServiceName,
    stream: string,
    position: number,
    timeoutMs = 5_000,
  ): Promise<void> {
    const attributes = { 'gatehouse.projection': this.name, 'gatehouse.stream': stream };
    await withSpan('wait for the read model', { attributes }, () =>
      this.#reach(owner, stream, position, timeoutMs),
    );
  }

  async #reach(
    owner: ServiceName,
    stream: string,
    position: number,
    timeoutMs: number,
  ): Promise<void> {
    const topic = topicOf(owner);
    const partition = this.#bus.partitionOf(topic, stream);
    const deadline = Date.now() + timeoutMs;
    while ((this.#applied.get(`${topic.name}/${partition}`) ?? -1) < position) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Refusal('read-model-behind');
      await this.#nextChange(Math.min(left, 250));
      // Another process of this service may hold the partition: the table knows.
      const cursor = await this.#readCursor(this.#database.pool, topic.name, partition);
      this.#note(topic.name, partition, cursor.position);
    }
  }

  get #labels(): { readonly service: ServiceName; readonly projection: string } {
    return { service: this.#database.service, projection: this.name };
  }

  async #handle({ topic, partition, messages }: MessageBatch): Promise<void> {
    // Read before the transaction: a message that cannot be read must not undo those before it.
    const events = messages.map((message) => ({ message, event: fromMessage(message) }));
    const { position, fresh } = await this.#database.transaction(async (client) => {
      // While a group is shared anew, two members may have the same messages in hand: the second waits, and sees the cursor moved.
      await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
        `${this.#database.service} ${this.name}`,
        `${topic}/${partition}`,
      ]);
      const cursor = await this.#readCursor(client, topic, partition);
      const fresh = events.filter(({ message }) => message.offset >= cursor.nextOffset).length;
      for (const { message, event } of events) await this.#apply(client, cursor, message, event);
      await client.query(
        `insert into projection_cursor (runner, topic, partition, next_offset, position) values ($1, $2, $3, $4, $5)
         on conflict (runner, topic, partition) do update set next_offset = excluded.next_offset, position = excluded.position`,
        [this.name, topic, partition, cursor.nextOffset, cursor.position],
      );
      return { position: cursor.position, fresh };
    });
    appliedEvents.inc(this.#labels, fresh);
    this.#note(topic, partition, position);
  }

  async #apply(
    client: SqlClient,
    cursor: Cursor,
    message: IncomingMessage,
    event: RecordedEvent,
  ): Promise<void> {
    if (message.offset < cursor.nextOffset) return;
    cursor.nextOffset = message.offset + 1;
    // Positions rise within a partition: a lower one is a repeat by the relay.
    const position = positionOf(message);
    if (position <= cursor.position) return;
    cursor.position = position;
    const { traceparent: from } = event;
    if (from === undefined || isHistory(event)) return this.#project(client, event);
    const attributes = { 'gatehouse.projection': this.name };
    await withSpan(`project ${event.type}`, { kind: 'consumer', from, attributes }, () =>
      this.#project(client, event),
    );
  }

  async #project(client: SqlClient, event: RecordedEvent): Promise<void> {
    for (const projection of this.#projections) await projection.apply(client, event);
  }

  async #readCursor(client: SqlClient, topic: string, partition: number): Promise<Cursor> {
    const { rows } = await client.query<{ next_offset: number; position: number }>(
      'select next_offset, position from projection_cursor where runner = $1 and topic = $2 and partition = $3',
      [this.name, topic, partition],
    );
    return { nextOffset: rows[0]?.next_offset ?? 0, position: rows[0]?.position ?? 0 };
  }

  #note(topic: string, partition: number, position: number): void {
    const key = `${topic}/${partition}`;
    if (position <= (this.#applied.get(key) ?? -1)) return;
    this.#applied.set(key, position);
    this.#advancedAt = Date.now();
    for (const wake of this.#waiting) wake();
  }

  async #nextChange(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }
}

// A table that is folded anew is nothing that the change of back then still sets off.
function isHistory({ occurredAt }: RecordedEvent): boolean {
  return Date.now() - Date.parse(occurredAt) > HISTORY_AFTER_MS;
}
