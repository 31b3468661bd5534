import type { ServiceName } from '@gatehouse/event-catalog';
import { ConfigError } from '../config/load-config.ts';
import { readSecret, readToken } from '../config/read-token.ts';
import { SchemaClaim, type NeededSchema } from '../database/schema-claim.ts';
import { openServiceDatabase, type ServiceDatabase } from '../database/service-database.ts';
import { createReadiness, type Readiness } from '../host/readiness.ts';
import { createLogger } from '../log/logger.ts';
import { nameProcess } from '../metrics/registry.ts';
import { systemClock, type Platform } from '../platform.ts';
import { readBusAddress } from './bus-address.ts';
import { makeDataDirectory } from './data-directory.ts';
import { openBus } from './open-bus.ts';
import type { ProcessConfig } from './process.config.ts';

/** What one service stands on in a process of its own; `close` takes it down. */
export interface ProcessPlatform {
  readonly platform: Platform;
  /** Throws while the database or the bus cannot be reached, or the schema is not as this build needs it. */
  reach(): Promise<void>;
  close(): Promise<void>;
}

/** Builds the platform of a process that hosts one service. Nothing is connected yet. */
export async function processPlatform(
  service: ServiceName,
  config: ProcessConfig,
  needed?: NeededSchema,
): Promise<ProcessPlatform> {
  const log = createLogger({ service, level: config.logLevel });
  nameProcess(service);
  const dataDirectory = await makeDataDirectory(config.data, 'process.data');
  const serviceToken = await readToken(config.serviceTokenFile, 'process.serviceTokenFile');
  const opened = openBus(await readBusAddress(config), log);
  const databaseUrl =
    config.databaseUrl && (await withPassword(config.databaseUrl, config.databasePasswordFile));
  let database: ServiceDatabase | undefined;
  const readiness = createReadiness();
  const platform: Platform = {
    bus: opened.bus,
    clock: systemClock,
    log,
    readiness,
    serviceToken,
    dataDirectory,
    serviceUrl: (other) => urlOf(config, other),
    database(asked) {
      if (asked !== service) throw new Error(`${service} must not open the database of ${asked}`);
      if (databaseUrl === undefined)
        throw new ConfigError([`process.databaseUrl: ${service} needs one`]);
      database ??= openServiceDatabase(service, databaseUrl, log);
      return database;
    },
  };
  const claim =
    needed === undefined || databaseUrl === undefined
      ? undefined
      : claimOf(needed, databaseUrl, log, readiness);
  return {
    platform,
    async reach() {
      if (databaseUrl !== undefined) await platform.database(service).pool.query('select 1');
      await claim?.take();
      await opened.reach();
    },
    async close() {
      await opened.close();
      await database?.close();
      await claim?.release();
    },
  };
}

function claimOf(
  needed: NeededSchema,
  connectionString: string,
  log: Platform['log'],
  readiness: Readiness,
): SchemaClaim {
  const waiting = readiness.waitFor(`the schema ${needed.schema}`);
  return new SchemaClaim(needed, { connectionString }, log, (held) =>
    held ? waiting.done() : waiting.again(),
  );
}

function urlOf(config: ProcessConfig, service: ServiceName): string {
  const urls: Partial<Record<ServiceName, string | undefined>> = {
    identity: config.identityUrl,
    policy: config.policyUrl,
    registry: config.registryUrl,
    audit: config.auditUrl,
  };
  const url = urls[service];
  if (url === undefined)
    throw new ConfigError([`process.${service}Url: it is needed to reach ${service}`]);
  return url.replace(/\/$/, '');
}

async function withPassword(url: string, file: string | undefined): Promise<string> {
  if (file === undefined) return url;
  const full = new URL(url);
  full.password = encodeURIComponent(await readSecret(file, 'process.databasePasswordFile'));
  return full.href;
}
