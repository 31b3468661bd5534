import { EventEmitter } from 'node:events';
import { upcast, type RecordedEvent, type TypedData } from '@gatehouse/event-catalog';
import {
  ConcurrencyError,
  type AppendReceipt,
  type EventStore,
  type EventToAppend,
} from '@gatehouse/event-sourcing';
import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { ServiceDatabase, SqlClient } from '../database/service-database.ts';
import { currentTraceparent, withSpan } from '../tracing/span.ts';
import { appendedEvents, versionConflicts } from './event-store-metrics.ts';
import { definitionOf } from './unknown-event-type.ts';

/**
 * A read table that the owner keeps beside its own log: applied in the transaction that appends, so commands see it at
 * once and its unique constraints guard the log. `tables` lets a rebuild empty it first; `refusals` maps a violated
 * constraint to what the caller is told.
 */
export interface InlineProjection {
  readonly name: string;
  readonly tables: readonly string[];
  readonly refusals?: Readonly<Record<string, ProblemCode>>;
  apply(client: SqlClient, event: RecordedEvent): Promise<void>;
}

interface EventRow {
  position: number;
  stream: string;
  version: number;
  id: string;
  type: string;
  data: unknown;
  actor: unknown;
  correlation_id: string;
  causation_id: string | null;
  traceparent: string | null;
  occurred_at: Date;
}

const COLUMNS =
  'position, stream, version, id, type, data, actor, correlation_id, causation_id, traceparent, occurred_at';
const UNIQUE_VIOLATION = '23505';

/** The event store of one service, in its own schema. Opened with the inline projections that its appends keep current. */
export class PostgresEventStore implements EventStore {
  readonly #database: ServiceDatabase;
  readonly #projections: readonly InlineProjection[];
  readonly #bringForward: (stored: TypedData) => TypedData;
  readonly #appended = new EventEmitter();

  /** `bringForward` reads what was stored as the newest version: with the catalogue's upcasters, unless a test has others. */
  constructor(
    database: ServiceDatabase,
    projections: readonly InlineProjection[] = [],
    bringForward: (stored: TypedData) => TypedData = upcast,
  ) {
    this.#database = database;
    this.#projections = projections;
    this.#bringForward = bringForward;
  }

  async readStream(stream: string, after = 0): Promise<readonly RecordedEvent[]> {
    const { rows } = await this.#database.pool.query<EventRow>(
      `select ${COLUMNS} from event where stream = $1 and version > $2 order by version`,
      [stream, after],
    );
    return rows.map((row) => this.#toEvent(row));
  }

  async readAll(after: number, limit: number): Promise<readonly RecordedEvent[]> {
    const { rows } = await this.#database.pool.query<EventRow>(
      `select ${COLUMNS} from event where position > $1 order by position limit $2`,
      [after, limit],
    );
    return rows.map((row) => this.#toEvent(row));
  }

  async head(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ position: number }>(
      'select position from event_head',
    );
    return rows[0]?.position ?? 0;
  }

  async append(
    stream: string,
    expectedVersion: number,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    if (events.length === 0) throw new Error('nothing to append');
    try {
      const span = {
        attributes: { 'gatehouse.stream': stream, 'gatehouse.events': events.length },
      };
      const position = await withSpan(`append to ${this.#database.service}`, span, () =>
        this.#database.transaction(async (client) => {
          const first = await this.#insert(client, stream, expectedVersion, events);
          return first + events.length - 1;
        }),
      );
      this.#appended.emit('appended');
      appendedEvents.inc({ service: this.#database.service }, events.length);
      return { version: expectedVersion + events.length, position };
    } catch (error) {
      throw this.#translate(error);
    }
  }

  onAppended(listener: () => void): () => void {
    this.#appended.on('appended', listener);
    return () => this.#appended.off('appended', listener);
  }

  /** Empties the inline projections and replays the whole log into them, in one transaction that holds appends back. */
  async rebuildProjections(): Promise<number> {
    return this.#database.transaction(async (client) => {
      await client.query('select position from event_head for update');
      for (const table of this.#projections.flatMap((projection) => projection.tables)) {
        await client.query(`delete from ${pg.escapeIdentifier(table)}`);
      }
      let after = 0;
      for (;;) {
        const { rows } = await client.query<EventRow>(
          `select ${COLUMNS} from event where position > $1 order by position limit 500`,
          [after],
        );
        for (const row of rows) await this.#project(client, this.#toEvent(row));
        if (rows.length === 0) return after;
        after = rows.at(-1)?.position ?? after;
      }
    });
  }

  async #insert(
    client: SqlClient,
    stream: string,
    expectedVersion: number,
    events: readonly EventToAppend[],
  ): Promise<number> {
    // The row lock on the head makes commit order the order of positions; it is held until the commit just after.
    const head = await client.query<{ position: number }>(
      'update event_head set position = position + $1 returning position',
      [events.length],
    );
    const first = (head.rows[0]?.position ?? 0) - events.length + 1;
    const traceparent = currentTraceparent();
    const rows = events.map((event, index) => ({
      position: first + index,
      stream,
      version: expectedVersion + index + 1,
      id: uuidv7(),
      type: event.type,
      data: event.data,
      actor: event.actor,
      correlation_id: event.correlationId,
      causation_id: event.causationId ?? null,
      traceparent: traceparent ?? null,
      occurred_at: event.occurredAt,
    }));
    // A statement of its own, after the lock: so it sees the last version as whoever held the lock before left it.
    const { rowCount } = await client.query(
      `insert into event (${COLUMNS})
       select ${COLUMNS} from json_to_recordset($1::json) as e(position bigint, stream text, version integer, id uuid,
         type text, data json, actor jsonb, correlation_id text, causation_id text, traceparent text, occurred_at timestamptz)
       where $3 = (select coalesce(max(version), 0) from event where stream = $2)`,
      [JSON.stringify(rows), stream, expectedVersion],
    );
    if (rowCount === 0) throw new ConcurrencyError(stream, expectedVersion);
    for (const row of rows)
      await this.#project(
        client,
        this.#toEvent({ ...row, occurred_at: new Date(row.occurred_at) }),
      );
    return first;
  }

  async #project(client: SqlClient, event: RecordedEvent): Promise<void> {
    for (const projection of this.#projections) await projection.apply(client, event);
  }

  #translate(error: unknown): unknown {
    if (error instanceof ConcurrencyError)
      versionConflicts.inc({ service: this.#database.service });
    if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE_VIOLATION) return error;
    for (const { refusals } of this.#projections) {
      const code = refusals?.[error.constraint ?? ''];
      if (code !== undefined) return new Refusal(code, { cause: error });
    }
    return error;
  }

  #toEvent(row: EventRow): RecordedEvent {
    const stored = { type: row.type, data: row.data };
    const newest = this.#bringForward(stored);
    definitionOf(newest.type);
    return {
      id: row.id,
      stream: row.stream,
      version: row.version,
      position: row.position,
      occurredAt: row.occurred_at.toISOString(),
      actor: row.actor,
      correlationId: row.correlation_id,
      ...(row.causation_id === null ? {} : { causationId: row.causation_id }),
      ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
      ...(newest.type === stored.type ? {} : { storedAs: stored }),
      ...newest,
    } as RecordedEvent;
  }
}
