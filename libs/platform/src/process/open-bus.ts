import { topics } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';
import pg from 'pg';
import { KafkaEventBus } from '../bus/kafka/kafka-event-bus.ts';
import { busConnected } from '../bus/bus-metrics.ts';
import { PostgresEventBus } from '../bus/postgres/postgres-event-bus.ts';
import { noticingLoss } from '../database/connection-settings.ts';
import { platformMigrations } from '../database/platform-migrations.ts';
import { SchemaClaim } from '../database/schema-claim.ts';
import { reportLostConnections } from '../database/service-database.ts';
import type { Logger } from '../log/logger.ts';
import { Sampled } from '../metrics/sampled.ts';
import { kafkaConnection, type BusAddress } from './bus-address.ts';

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

/** Opens the event bus at an address. Nothing is connected yet. */
export function openBus(address: BusAddress, log: Logger): OpenedBus {
  const { bus, reach, close, ask } = address.url.startsWith('kafka')
    ? openKafka(address, log)
    : openPostgres(address, log);
  const stopShowing = showConnected(ask);
  return {
    bus,
    reach,
    async close() {
      stopShowing();
      await close();
    },
  };
}

interface AskedBus {
  readonly bus: EventBus;
  readonly reach: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** Rejects where the server does not answer; changes nothing. */
  readonly ask: () => Promise<unknown>;
}

function showConnected(ask: AskedBus['ask']): () => void {
  const connected = new Sampled(() =>
    ask().then(
      () => 1,
      () => 0,
    ),
  );
  return busConnected.read(async () => [[{}, (await connected.get()) ?? 0]]);
}

function openKafka(address: BusAddress, log: Logger): AskedBus {
  const bus = new KafkaEventBus({ connection: kafkaConnection(address), log });
  return {
    bus,
    reach: () => bus.reach(),
    close: () => bus.close(),
    ask: () => bus.reach(),
  };
}

function openPostgres({ url, password }: BusAddress, log: Logger): AskedBus {
  const address = new URL(url);
  if (password !== undefined) address.password = encodeURIComponent(password);
  const pool = new pg.Pool({
    ...noticingLoss(),
    connectionString: address.href,
    max: CONNECTIONS,
    application_name: 'gatehouse-bus',
  });
  reportLostConnections(pool, log, 'bus');
  const bus = new PostgresEventBus({ pool, log, retention });
  const claim = new SchemaClaim(
    { schema: 'bus', folders: [platformMigrations.bus] },
    { connectionString: address.href },
    log,
  );
  return {
    bus,
    ask: () => pool.query('select 1'),
    async reach() {
      await pool.query('select 1');
      await claim.take();
    },
    async close() {
      await bus.close();
      await pool.end();
      await claim.release();
    },
  };
}
