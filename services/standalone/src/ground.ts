import { placeDatabase, startEmbeddedServer } from '@gatehouse/embedded-postgres';
import type { ServiceName } from '@gatehouse/event-catalog';
import {
  createLogger,
  createReadiness,
  makeDataDirectory,
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
  const dataDirectory = await makeDataDirectory(config.data, 'standalone.data');
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
