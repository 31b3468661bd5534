import type { ServiceName } from '@gatehouse/event-catalog';
import pg from 'pg';
import type { Logger } from '../log/logger.ts';
import { isUnanswered, noticingLoss } from './connection-settings.ts';

// Positions and offsets are bigint in SQL and stay far below 2^53: read them as numbers.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** What can run SQL: a pool, or the one connection of a transaction. */
export type SqlClient = Pick<pg.PoolClient, 'query'>;

/** One service's schema, reached by the service's own role; unqualified names resolve to it. */
export interface ServiceDatabase {
  readonly service: ServiceName;
  readonly pool: pg.Pool;
  /** Runs the work in one transaction; whatever it throws rolls back and is thrown on. Never await another service inside. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opens a pool of at most `maxConnections` (default 4) as the role that `url` names. A query fails that is not answered within `answeredWithinMs`. */
export function openServiceDatabase(
  service: ServiceName,
  url: string,
  log: Logger,
  maxConnections = 4,
  answeredWithinMs?: number,
): ServiceDatabase {
  const noticing = noticingLoss(answeredWithinMs);
  const pool = new pg.Pool({
    ...noticing,
    connectionString: url,
    max: maxConnections,
    application_name: `gatehouse-${service}`,
    options: `-c search_path=${service} ${noticing.options}`,
  });
  reportLostConnections(pool, log, service);
  return {
    service,
    pool,
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
}

/** An idle connection that the server drops is replaced on the next use; unhandled, its error would end the process. */
export function reportLostConnections(pool: pg.Pool, log: Logger, whose: string): void {
  // The pool does not listen to a connection that somebody holds. Its holder learns of the loss by the next query.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', ({ message }) => {
    // While the pool ends, the server may be quicker than the goodbye.
    if (!pool.ending) log.warn({ whose, reason: message }, 'an idle database connection was lost');
  });
}

async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // One that was not answered has no room for a rollback; the server undoes it with the connection.
    if (isUnanswered(error)) broken = error;
    else
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
    throw error;
  } finally {
    client.release(broken);
  }
}
