import { TEST_POSTGRES_URL } from './fresh-database.ts';
import { startThrowAwayPostgres } from './throw-away-postgres.ts';

/** One server for the whole integration lane: starting one takes a second, a fresh database a few milliseconds. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[TEST_POSTGRES_URL] !== undefined) return undefined;
  const postgres = await startThrowAwayPostgres({ maxConnections: 400 });
  process.env[TEST_POSTGRES_URL] = postgres.url;
  return async () => {
    delete process.env[TEST_POSTGRES_URL];
    await postgres.stop();
  };
}
