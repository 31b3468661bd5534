import { createDatabase, runOnce } from './throw-away-postgres.ts';

/** Where the integration lane's one server is found; set by the global setup, or by a developer who has a server of their own. */
export const TEST_POSTGRES_URL = 'GATEHOUSE_TEST_POSTGRES_URL';

/** An empty database of its own on the shared server of the tests. */
export interface FreshDatabase {
  /** As the superuser. */
  readonly url: string;
  /** Cuts whoever is still connected. */
  drop(): Promise<void>;
}

/** An empty database of its own for a test file, on the one server that the integration lane shares. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const serverUrl = process.env[TEST_POSTGRES_URL];
  if (serverUrl === undefined) {
    throw new Error(
      'no test PostgreSQL: freshDatabase() belongs in *.int-spec.ts (--project integration)',
    );
  }
  const url = await createDatabase(serverUrl);
  const name = new URL(url).pathname.slice(1);
  return { url, drop: () => runOnce(serverUrl, `drop database if exists ${name} with (force)`) };
}
