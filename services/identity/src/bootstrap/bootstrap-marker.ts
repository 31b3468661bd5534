import { randomUUID } from 'node:crypto';
import type { ServiceDatabase } from '@gatehouse/platform';

/** How far the making of the first administrator has come: still to be made as this user, or over. */
export type BootstrapMarker =
  | { readonly status: 'unfinished'; readonly userId: string }
  | { readonly status: 'finished' };

/** Reads the marker; on the very first start sets it, to unfinished where there are no users and to finished where there are. */
export async function readOrSetMarker(database: ServiceDatabase): Promise<BootstrapMarker> {
  await database.pool.query(
    `insert into bootstrap (user_id, finished_at)
     select case when occupied then null else $1 end, case when occupied then now() end
     from (select exists (select from users) as occupied) as directory
     on conflict (only_row) do nothing`,
    [randomUUID()],
  );
  const { rows } = await database.pool.query<{ user_id: string | null; finished: boolean }>(
    'select user_id, finished_at is not null as finished from bootstrap',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the bootstrap marker is missing just after it was set');
  if (row.finished || row.user_id === null) return { status: 'finished' };
  return { status: 'unfinished', userId: row.user_id };
}

/** Notes that the first administrator was made and the token handed over: never again. */
export async function finishBootstrap(database: ServiceDatabase): Promise<void> {
  await database.pool.query('update bootstrap set finished_at = now()');
}

/** Runs the work while no other process of this service does; they wait. */
export async function oneAtATime<T>(database: ServiceDatabase, work: () => Promise<T>): Promise<T> {
  const client = await database.pool.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('identity bootstrap'))`);
    return await work();
  } finally {
    // Ends the connection, and the lock with it.
    client.release(true);
  }
}
