import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { Pool } from 'pg';
import type { Session } from './listener.ts';

/** A partition that a member may read until somebody with a higher epoch does. */
export interface Lease {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  /** False where the member holds more than its share. */
  readonly keep: boolean;
}

/** What is known of a partition when a group starts on it. */
export interface StartingPoint {
  readonly low: number;
  readonly next: number;
  readonly committed: number | undefined;
}

/** The tables of one group, as one of its members uses them. */
export class GroupLedger {
  readonly #pool: Pool;
  readonly group: string;
  readonly member: string;

  constructor(pool: Pool, group: string, member: string) {
    this.#pool = pool;
    this.group = group;
    this.member = member;
  }

  async beat(
    topics: readonly TopicDefinition[],
    leaseMs: number,
    session: Session | undefined,
  ): Promise<Lease[]> {
    const { rows } = await this.#pool.query<Omit<Lease, 'epoch'> & { epoch: string }>(
      'select topic, partition, epoch, keep from bus.beat($1, $2, $3::text[], $4::int[], $5, $6, $7::timestamptz)',
      [
        this.group,
        this.member,
        topics.map((topic) => topic.name),
        topics.map((topic) => topic.partitions),
        leaseMs,
        session?.pid ?? null,
        session?.started ?? null,
      ],
    );
    return rows.map((row) => ({ ...row, epoch: Number(row.epoch) }));
  }

  async letGo({ topic, partition }: { topic: string; partition: number }): Promise<void> {
    await this.#pool.query('select bus.let_go($1, $2, $3, $4)', [
      this.group,
      this.member,
      topic,
      partition,
    ]);
  }

  async leave(): Promise<void> {
    await this.#pool.query('select bus.let_go($1, $2)', [this.group, this.member]);
  }

  /** False when the lease has gone to somebody else. */
  async commit({ topic, partition, epoch }: Lease, next: number): Promise<boolean> {
    const { rows } = await this.#pool.query<{ ours: boolean }>(
      'select bus.commit_offset($1, $2, $3, $4, $5, $6) as ours',
      [this.group, this.member, epoch, topic, partition, next],
    );
    return rows[0]?.ours === true;
  }

  async startingPoint({ topic, partition }: Lease): Promise<StartingPoint> {
    const { rows } = await this.#pool.query<{
      low: string;
      next: string;
      committed: string | null;
    }>(
      `select p.low, p.next_offset as next, o.next_offset as committed
       from bus.topic_partition p
       left join bus.group_offset o on o.group_name = $1 and o.topic = p.topic and o.partition = p.partition
       where p.topic = $2 and p.partition = $3`,
      [this.group, topic, partition],
    );
    const [row] = rows;
    if (row === undefined) throw new Error(`${topic}/${partition} does not exist`);
    return {
      low: Number(row.low),
      next: Number(row.next),
      committed: row.committed === null ? undefined : Number(row.committed),
    };
  }
}
