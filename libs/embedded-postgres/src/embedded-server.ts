import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries, reachableByOthers, type PostgresBinaries } from './postgres-binaries.ts';
import { findServerUser, type ServerUser } from './server-user.ts';

const run = promisify(execFile);

// The longest path of a Unix socket is 107 bytes; PostgreSQL adds `/.s.PGSQL.5432.lock`.
const LONGEST_SOCKET_FOLDER = 80;
const DATABASE = 'postgres';

/** A running PostgreSQL. */
export interface EmbeddedServer {
  /** As the superuser, which owns everything. */
  readonly url: string;
  /** The same database as another role. */
  urlOf(role: string, password: string): string;
  /** Cuts connections and stops; `immediate` as a crash would, without a checkpoint. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again after a stop. */
  start(): Promise<void>;
}

/** Where an embedded server keeps its data, and how it is started. */
export interface EmbeddedServerOptions {
  /** Where the data lies; created when it is not there. */
  readonly directory: string;
  readonly password: string;
  readonly maxConnections: number;
  /** Listens on this port of 127.0.0.1; otherwise on a Unix socket that only the server's user and root may open. */
  readonly port?: number;
  /** Further lines of postgresql.conf. */
  readonly settings?: readonly string[];
}

/**
 * Starts PostgreSQL on the directory, creating the database cluster at the first start. A server left over from a
 * process that was killed is stopped first: it would hold the directory. The server has a session of its own, so a
 * Ctrl-C at the terminal reaches us and not it, and we stop it last.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { directory, password, port } = options;
  const user = await findServerUser();
  const binaries = await findBinaries(user);
  const data = join(directory, 'data');
  // Others may pass the folders above, which a recursive mkdir would give the mode of the last.
  await mkdir(dirname(directory), { recursive: true, mode: 0o755 });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  if (!(await exists(join(data, 'PG_VERSION')))) await initialise(binaries, data, password, user);
  const socketFolder = port === undefined ? await prepareSocketFolder(directory, user) : '';
  await writeSettings(data, socketFolder, options, user);
  const stop = (mode: 'fast' | 'immediate' = 'fast'): Promise<void> =>
    stopServer(binaries, data, mode, user);
  const start = (): Promise<void> =>
    startServer(binaries, data, join(directory, 'server.log'), user);
  await stop();
  await start();
  const host = port === undefined ? encodeURIComponent(socketFolder) : `127.0.0.1:${port}`;
  const urlOf = (role: string, secret: string): string =>
    `postgres://${role}:${encodeURIComponent(secret)}@${host}/${DATABASE}`;
  return { url: urlOf('postgres', password), urlOf, stop, start };
}

/**
 * Where the database of a data directory lies: inside it, unless we are root and the server's user may not enter the
 * folders above (as below /root); then below /var/lib, named after the installation.
 */
export async function placeDatabase(dataDirectory: string, installation: string): Promise<string> {
  const reachable = process.getuid?.() !== 0 || (await reachableByOthers(dataDirectory));
  return reachable ? join(dataDirectory, 'postgres') : join('/var/lib/gatehouse', installation);
}

async function initialise(
  { initdb }: PostgresBinaries,
  data: string,
  password: string,
  user: ServerUser | undefined,
): Promise<void> {
  const passwordFile = `${data}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'w' });
  if (user !== undefined) await chown(passwordFile, user.uid, user.gid);
  // A folder left half made by a crash would be refused; nothing was ever stored in it.
  await rm(data, { recursive: true, force: true });
  try {
    await run(
      initdb,
      [
        `--pgdata=${data}`,
        '--username=postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ],
      { ...user, cwd: '/' },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function prepareSocketFolder(
  directory: string,
  user: ServerUser | undefined,
): Promise<string> {
  const near = join(directory, 'run');
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  const folder =
    near.length <= LONGEST_SOCKET_FOLDER ? near : join(tmpdir(), `gatehouse-${digest}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}

async function writeSettings(
  data: string,
  socketFolder: string,
  { maxConnections, port, settings = [] }: EmbeddedServerOptions,
  user: ServerUser | undefined,
): Promise<void> {
  const main = join(data, 'postgresql.conf');
  const include = "include_if_exists 'gatehouse.conf'";
  if (!(await readFile(main, 'utf8')).includes(include)) {
    await appendFile(main, `\n${include}\n`);
  }
  const file = join(data, 'gatehouse.conf');
  await writeFile(
    file,
    [
      `listen_addresses = '${port === undefined ? '' : '127.0.0.1'}'`,
      `port = ${port ?? 5432}`,
      `unix_socket_directories = '${socketFolder.replaceAll("'", "''")}'`,
      'unix_socket_permissions = 0700',
      `max_connections = ${maxConnections}`,
      'shared_buffers = 64MB',
      'log_min_messages = warning',
      ...settings,
      '',
    ].join('\n'),
  );
  if (user !== undefined) await chown(file, user.uid, user.gid);
}

async function startServer(
  { pgCtl }: PostgresBinaries,
  data: string,
  logFile: string,
  user: ServerUser | undefined,
): Promise<void> {
  const args = [
    'start',
    '--wait',
    '--timeout=60',
    '--silent',
    `--pgdata=${data}`,
    `--log=${logFile}`,
  ];
  // `ignore`: the server would inherit a pipe and keep it open for as long as it lives.
  const child = spawn(pgCtl, args, { ...user, cwd: '/', stdio: 'ignore', detached: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code === 0) return;
  const log = await readFile(logFile, 'utf8').catch(() => '');
  throw new Error(
    `PostgreSQL did not start; the end of its log:\n${log.split('\n').slice(-12).join('\n')}`,
  );
}

async function stopServer(
  { pgCtl }: PostgresBinaries,
  data: string,
  mode: 'fast' | 'immediate',
  user: ServerUser | undefined,
): Promise<void> {
  const options = { ...user, cwd: '/' };
  const running = await run(pgCtl, ['status', `--pgdata=${data}`], options).then(
    () => true,
    () => false,
  );
  if (!running) return;
  await run(
    pgCtl,
    ['stop', '--wait', '--timeout=60', '--silent', `--mode=${mode}`, `--pgdata=${data}`],
    options,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
