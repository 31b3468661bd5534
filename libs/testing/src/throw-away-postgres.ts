import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer } from '@gatehouse/embedded-postgres';
import { Client, escapeIdentifier } from 'pg';
import { freePort } from './free-port.ts';

/** How to start the server. */
export interface ThrowAwayPostgresOptions {
  /** Waits for the disk on every commit. Off by default: a throw-away server outlives no power cut. */
  readonly durable?: boolean;
  readonly maxConnections?: number;
  /** Where its data goes, such as a small volume that can fill up; by default the folder for temporary files. */
  readonly within?: string;
  /** Further lines of postgresql.conf. */
  readonly settings?: readonly string[];
}

/** A real PostgreSQL server of its own, on a free loopback port, with a data directory that goes when it stops. */
export interface ThrowAwayPostgres {
  /** As the superuser, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Its data and its log. */
  readonly folder: string;
  createDatabase(name?: string): Promise<string>;
  /** As a crash would: no checkpoint, connections cut. The data stays for `restart`. */
  stopImmediately(): Promise<void>;
  /** Starts again on the same port and data; stops first, as a crash would, where it still runs. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

// Not `synchronous_commit=off`: a commit must survive an immediate stop, or tests of recovery lie.
const FAST_AND_LOOSE = ['fsync=off', 'full_page_writes=off'];

/** Starts a throw-away PostgreSQL; whoever starts it must stop it. */
export async function startThrowAwayPostgres(
  options: ThrowAwayPostgresOptions = {},
): Promise<ThrowAwayPostgres> {
  const { durable = false, maxConnections = 200, within = tmpdir(), settings = [] } = options;
  const directory = await mkdtemp(join(within, 'gatehouse-pg-'));
  // The server may run as another user, who must get into the folder.
  await chmod(directory, 0o755);
  const port = await freePort();
  const server = await startEmbeddedServer({
    directory: join(directory, 'postgres'),
    password: randomBytes(12).toString('hex'),
    maxConnections,
    port,
    settings: [...(durable ? [] : FAST_AND_LOOSE), ...settings],
  }).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    url: server.url,
    port,
    folder: directory,
    createDatabase: (name) => createDatabase(server.url, name),
    stopImmediately: () => server.stop('immediate'),
    async restart() {
      await server.stop('immediate');
      await server.start();
    },
    async stop() {
      await server.stop('immediate');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Creates an empty database beside the one of the URL and returns its own URL. */
export async function createDatabase(
  serverUrl: string,
  name = `test_${randomUUID().replaceAll('-', '')}`,
): Promise<string> {
  await runOnce(serverUrl, `create database ${escapeIdentifier(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs one statement on a connection of its own. */
export async function runOnce(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
