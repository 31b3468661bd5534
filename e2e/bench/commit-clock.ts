import { Client } from 'pg';
import type { Owner } from '../journeys/harness/rights-taken-away.ts';
import type { World } from '../journeys/harness/world.ts';

/** What PostgreSQL keeps of when it committed. */
export interface CommitClock {
  /** When the newest event of an owner was committed, by the clock of `performance`; undefined where that is not kept. */
  committedLast(owner: Owner): Promise<number | undefined>;
  close(): Promise<void>;
}

export async function openCommitClock(world: World): Promise<CommitClock> {
  const database = new Client({ connectionString: await world.gatehouse.databaseUrl() });
  await database.connect();
  const { rows } = await database.query<{ kept: string }>(
    `select current_setting('track_commit_timestamp') as kept`,
  );
  const isKept = rows[0]?.kept === 'on';
  return {
    async committedLast(owner) {
      if (!isKept) return undefined;
      const { rows: newest } = await database.query<{ at: number }>(
        `select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as at
         from ${owner}.event order by position desc limit 1`,
      );
      return newest[0]!.at - performance.timeOrigin;
    },
    close: () => database.end(),
  };
}
