import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import type { Pool } from 'pg';

/** One message on its way into the log, its partition chosen. */
export interface PlacedMessage {
  readonly topic: TopicDefinition;
  readonly partition: number;
  readonly key: string | null;
  readonly headers: string;
  readonly value: Buffer | null;
}

/** How far a partition reaches: `next` is the offset that the next message will get. */
export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

/** Where a reader of one partition stands: the offset it wants next. */
export interface Cursor {
  readonly partition: number;
  readonly next: number;
}

const BATCH_MESSAGES = 500;
const BATCH_BYTES = 4 * 1024 * 1024;

interface MessageRow {
  partition: number;
  offset: string;
  key: string | null;
  headers: Record<string, string>;
  value: Buffer | null;
}

/** The log's tables, as statements: each call is one statement, hence one short transaction. */
export class MessageLog {
  readonly #pool: Pool;
  readonly #known = new Set<string>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Creates the counter rows of a topic that this process meets for the first time. */
  async prepare(topics: Iterable<TopicDefinition>): Promise<void> {
    const unknown = [...new Map([...topics].map((topic) => [topic.name, topic])).values()].filter(
      (topic) => !this.#known.has(topic.name),
    );
    if (unknown.length === 0) return;
    await this.#pool.query(
      `insert into bus.topic_partition (topic, partition)
       select t.topic, n from unnest($1::text[], $2::int[]) as t (topic, partitions), generate_series(0, t.partitions - 1) n
       order by 1, 2 on conflict do nothing`,
      [unknown.map((topic) => topic.name), unknown.map((topic) => topic.partitions)],
    );
    for (const topic of unknown) this.#known.add(topic.name);
  }

  async append(messages: readonly PlacedMessage[]): Promise<PartitionEnd[]> {
    await this.prepare(messages.map((message) => message.topic));
    const { rows } = await this.#pool.query<{ topic: string; partition: number; next: string }>(
      `select topic, partition, next_offset as next
       from bus.append($1::text[], $2::int[], $3::text[], $4::json[], $5::bytea[], $6::boolean[])`,
      [
        messages.map((message) => message.topic.name),
        messages.map((message) => message.partition),
        messages.map((message) => message.key),
        messages.map((message) => message.headers),
        messages.map((message) => message.value),
        messages.map((message) => message.topic.compacted),
      ],
    );
    return rows.map((row) => ({ ...row, next: Number(row.next) }));
  }

  async ends(topics: readonly string[]): Promise<PartitionEnd[]> {
    const { rows } = await this.#pool.query<{ topic: string; partition: number; next: string }>(
      'select topic, partition, next_offset as next from bus.topic_partition where topic = any ($1)',
      [topics],
    );
    return rows.map((row) => ({ ...row, next: Number(row.next) }));
  }

  /** Which offsets the partitions of a topic have: the oldest, and the one that comes next. */
  async ranges(topic: string): Promise<{ partition: number; low: number; next: number }[]> {
    const { rows } = await this.#pool.query<{ partition: number; low: string; next: string }>(
      'select partition, low, next_offset as next from bus.topic_partition where topic = $1',
      [topic],
    );
    return rows.map(({ partition, low, next }) => ({
      partition,
      low: Number(low),
      next: Number(next),
    }));
  }

  /** What follows the cursors, partition by partition, at most 500 messages and about 4 MiB of each. */
  async read(topic: string, cursors: readonly Cursor[]): Promise<IncomingMessage[]> {
    const { rows } = await this.#pool.query<MessageRow>(
      `select c.partition, m."offset", m.key, m.headers, m.value
       from unnest($2::int[], $3::bigint[]) as c (partition, next)
       cross join lateral (
         select *, sum(coalesce(octet_length(value), 0)) over (order by "offset") - coalesce(octet_length(value), 0) as before
         from (select * from bus.message where topic = $1 and partition = c.partition and "offset" >= c.next
               order by "offset" limit ${BATCH_MESSAGES}) page
       ) m
       where m.before < ${BATCH_BYTES}
       order by c.partition, m."offset"`,
      [topic, cursors.map((cursor) => cursor.partition), cursors.map((cursor) => cursor.next)],
    );
    return rows.map((row) => ({ topic, ...row, offset: Number(row.offset) }));
  }
}
