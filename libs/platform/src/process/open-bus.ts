import type { EventBus } from '@gatehouse/event-sourcing';
import { topics } from '@gatehouse/event-catalog';
import pg from 'pg';
import { PostgresEventBus } from '../bus/postgres/postgres-event-bus.ts';
import type { Logger } from '../log/logger.ts';

const CONNECTIONS = 6;

const retention = Object.fromEntries(
  Object.values(topics).flatMap(({ name, retentionMs }) =>
    retentionMs === null ? [] : [[name, retentionMs]],
  ),
);

/** An event bus with the connections it needs; `close` ends both. */
export interface OpenedBus {
  readonly bus: EventBus;
  /** Throws while it cannot be reached. */
  reach(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the event bus at a URL: `postgres://…`, by the role `gatehouse_bus`. Nothing is connected yet. */
export function openBus(url: string, log: Logger): OpenedBus {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    application_name: 'gatehouse-bus',
  });
  // An idle connection that breaks is replaced on the next use; unheard, its error would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection of the bus was lost'));
  const bus = new PostgresEventBus({ pool, log, retention });
  return {
    bus,
    async reach() {
      await pool.query('select 1');
    },
    async close() {
      await bus.close();
      await pool.end();
    },
  };
}
