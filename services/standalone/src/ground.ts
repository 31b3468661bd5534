import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { placeDatabase, startEmbeddedServer } from '@gatehouse/embedded-postgres';
import type { ServiceName } from '@gatehouse/event-catalog';
import {
  ConfigError,
  createLogger,
  createReadiness,
  migrate,
  openServiceDatabase,
  openBus,
  systemClock,
  type Platform,
  type ServiceDatabase,
} from '@gatehouse/platform';
import { takeDataDirectory } from './process/process-file.ts';
import { loadSecrets } from './process/secrets.ts';
import { migrationPlans, roleOf } from './schemas.ts';
import type { StandaloneConfig } from './standalone.config.ts';

const SERVICE_CONNECTIONS = 5;
const MAX_CONNECTIONS = 60;

/** What the services of one process stand on: the data directory taken, PostgreSQL running and migrated, the ports built. */
export interface Ground extends AsyncDisposable {
  readonly platform: Platform;
  readonly dataDirectory: string;
  readonly databaseDirectory: string;
  /** Tells services and other commands where this process listens. */
  announce(url: string): Promise<void>;
}

/** Takes the data directory and builds everything on it, in order; disposing takes it down in the opposite order. */
export async function prepareGround(config: StandaloneConfig): Promise<Ground> {
  await using building = new AsyncDisposableStack();
  const dataDirectory = resolve(config.data);
  await makeDataDirectory(dataDirectory);
  const taken = await takeDataDirectory(dataDirectory);
  building.defer(() => taken.release());
  const secrets = await loadSecrets(dataDirectory);
  const databaseDirectory = await placeDatabase(dataDirectory, secrets.installation);
  const password = secrets.databasePassword;
  const server = await startEmbeddedServer({
    directory: databaseDirectory,
    password,
    maxConnections: MAX_CONNECTIONS,
  });
  building.defer(() => server.stop());
  // The data directory is ours alone, so no process of an older release can stand on what a contract step takes away.
  await migrate(server.url, migrationPlans(password), { contract: true });

  const log = createLogger({ service: 'standalone', level: config.logLevel });
  const opened = openBus({ url: server.urlOf(roleOf('bus'), password) }, log);
  building.defer(() => opened.close());

  const databases = new Map<ServiceName, ServiceDatabase>();
  building.defer(async () => {
    for (const database of databases.values()) await database.close();
  });
  let url: string | undefined;
  const platform: Platform = {
    bus: opened.bus,
    clock: systemClock,
    log,
    readiness: createReadiness(),
    serviceToken: secrets.serviceToken,
    dataDirectory,
    serviceUrl() {
      if (url === undefined) throw new Error('this process does not listen yet');
      return url;
    },
    database(service) {
      const known = databases.get(service);
      if (known !== undefined) return known;
      const database = openServiceDatabase(
        service,
        server.urlOf(roleOf(service), password),
        log,
        SERVICE_CONNECTIONS,
      );
      databases.set(service, database);
      return database;
    },
  };
  const held = building.move();
  return {
    platform,
    dataDirectory,
    databaseDirectory,
    async announce(listeningAt) {
      url = listeningAt;
      await taken.announce(listeningAt);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function makeDataDirectory(path: string): Promise<void> {
  let isFolder: boolean;
  try {
    // Node's recursive mkdir never ends on some file systems (procfs): only what is missing at the end is made.
    await mkdir(dirname(path), { recursive: false }).catch(ignoreExisting);
    await mkdir(path, { mode: 0o755 }).catch(ignoreExisting);
    await access(path, constants.W_OK);
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw new Error(
      `the data directory ${path} (GATEHOUSE_DATA) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!isFolder)
    throw new ConfigError([
      `standalone.data: ${path} is no folder: set GATEHOUSE_DATA to one, or to where one can be made`,
    ]);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
