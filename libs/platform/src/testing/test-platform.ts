import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '@gatehouse/event-catalog';
import { freshDatabase } from '@gatehouse/testing';
import { openBus } from '../process/open-bus.ts';
import { migrate } from '../database/migrate.ts';
import { platformMigrations } from '../database/platform-migrations.ts';
import { openServiceDatabase, type ServiceDatabase } from '../database/service-database.ts';
import { createReadiness } from '../host/readiness.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { systemClock, type Clock, type Platform } from '../platform.ts';

const PASSWORD = 'only-in-tests';

/** A platform on a fresh database of the integration lane's server, as standalone would build it. */
export interface TestPlatform {
  readonly platform: Platform;
  /** The database as its superuser, for what only a test or an attacker would do. */
  readonly ownerUrl: string;
  /** Where `/internal/…` calls go: set it once the host listens. */
  serveAt(url: string): void;
  stop(): Promise<void>;
}

/** What a test platform starts with: schemas, the time, and where it logs. */
export interface TestPlatformOptions {
  /** The schemas to bring to head, with the folders of SQL of each. */
  readonly schemas: readonly {
    readonly schema: ServiceName;
    readonly folders: readonly string[];
  }[];
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Starts one. Everything in it is real; stop() takes it down and drops the database. */
export async function startTestPlatform({
  schemas,
  clock = systemClock,
  log = createLogger({ service: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
}: TestPlatformOptions): Promise<TestPlatform> {
  const database = await freshDatabase();
  const plans = [...schemas, { schema: 'bus', folders: [platformMigrations.bus] }].map((plan) => ({
    ...plan,
    role: `gatehouse_${plan.schema}`,
    password: PASSWORD,
  }));
  await migrate(database.url, plans);
  const dataDirectory = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const { bus, close } = openBus({ url: asRole(database.url, 'gatehouse_bus') }, log);
  const databases = new Map<ServiceName, ServiceDatabase>();
  let url = 'http://127.0.0.1:9';
  const platform: Platform = {
    bus,
    clock,
    log,
    readiness: createReadiness(),
    serviceToken: 'service-token-of-this-test',
    dataDirectory,
    serviceUrl: () => url,
    database(service) {
      const open =
        databases.get(service) ??
        openServiceDatabase(service, asRole(database.url, `gatehouse_${service}`), log);
      databases.set(service, open);
      return open;
    },
  };
  return {
    platform,
    ownerUrl: database.url,
    serveAt: (base) => {
      url = base;
    },
    async stop() {
      await close();
      for (const open of databases.values()) await open.close();
      await database.drop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

function asRole(ownerUrl: string, role: string): string {
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = PASSWORD;
  return url.href;
}
