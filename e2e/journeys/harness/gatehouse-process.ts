import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@gatehouse/testing';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** As the shebang of the command has it, on the Node that runs the tests. */
export const COMMAND = [
  '--max-semi-space-size=8',
  join(ROOT, 'services/standalone/bin/gatehouse.mjs'),
];

/** What a run of the command line left: its exit code and what it printed. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line once, to its end. */
export async function runCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<CommandResult> {
  const command = spawn(process.execPath, [...COMMAND, ...args], { env, cwd });
  let [stdout, stderr] = ['', ''];
  command.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  command.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(command, 'close');
  return { code: command.exitCode, stdout, stderr };
}

/** A folder of its own with the data directory in it, and the Gatehouse processes that run on it: always by the command line, as a user would. */
export interface Installation {
  /** What its processes call their home, and the place for what is temporary. */
  readonly folder: string;
  readonly dataDirectory: string;
  /** The address of the running process: of the gate and of the admin API alike. */
  readonly url: string;
  readonly gateUrls: readonly string[];
  readonly apiUrl: string;
  readonly pid: number;
  /** All that the process at hand has printed, its log included. */
  readonly output: string;
  /** All that any process of it has printed, but for single commands. */
  readonly printed: string;
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGINT, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  adminToken(): Promise<string>;
  /** The database as its owner, for what no public door shows. */
  databaseUrl(): Promise<string>;
  run(...args: string[]): Promise<CommandResult>;
  /** Ends whatever runs, its PostgreSQL too, and removes the directory. */
  dispose(): Promise<void>;
}

/** An installation that nothing runs on yet. `env` holds settings for every process of it. */
export async function installation(
  env: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-e2e-'));
  await chmod(root, 0o755);
  const dataDirectory = join(root, 'data');
  let child: ChildProcess | undefined;
  let output = '';
  let before = '';
  const environment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: root,
    TMPDIR: root,
    NO_COLOR: '1',
    GATEHOUSE_DATA: dataDirectory,
    GATEHOUSE_PORT: '0',
    ...env,
    ...more,
  });
  const running = (): ChildProcess => {
    if (child?.pid === undefined) throw new Error('no Gatehouse runs here');
    return child;
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const process = running();
    child = undefined;
    if (process.exitCode === null && process.signalCode === null) {
      const ended = once(process, 'exit');
      process.kill(signal);
      await ended;
    }
    return process.exitCode;
  };
  const url = (): string => {
    const found = /MCP endpoint\s+(http:\/\/\S+)\/mcp/.exec(output)?.[1];
    if (found === undefined) throw new Error(`it printed no endpoint:\n${output}`);
    return found;
  };
  return {
    folder: root,
    dataDirectory,
    get url() {
      return url();
    },
    get gateUrls() {
      return [url()];
    },
    get apiUrl() {
      return url();
    },
    get pid() {
      return running().pid!;
    },
    get output() {
      return output;
    },
    get printed() {
      return before + output;
    },
    async start(more) {
      before += output;
      output = '';
      const started = spawn(process.execPath, [...COMMAND, 'start'], {
        env: environment(more),
        cwd: root,
      });
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const ended = once(started, 'close').then(() => {
        throw new Error(`it ended with ${started.exitCode}:\n${output}`);
      });
      const up = eventually(
        () => {
          if (!output.includes('Ctrl-C stops it')) throw new Error(`it is not up:\n${output}`);
        },
        { timeoutMs: 40_000 },
      );
      ended.catch(() => undefined);
      await Promise.race([up, ended]);
    },
    stop: (signal = 'SIGINT') => end(signal),
    async kill() {
      await end('SIGKILL');
    },
    async adminToken() {
      return (await readFile(join(dataDirectory, 'admin-token'), 'utf8')).trim();
    },
    databaseUrl: () => databaseUrlOf(dataDirectory),
    run: (...args) => runCommand(args, environment(), root),
    async dispose() {
      if (child !== undefined) await end('SIGKILL');
      await stopLeftOverPostgres(dataDirectory);
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function databaseUrlOf(dataDirectory: string): Promise<string> {
  const secrets = await readFile(join(dataDirectory, 'secrets.json'), 'utf8');
  const { databasePassword } = JSON.parse(secrets) as { databasePassword: string };
  const pidFile = join(dataDirectory, 'postgres', 'data', 'postmaster.pid');
  const [, , , port, socketFolder = ''] = (await readFile(pidFile, 'utf8')).split('\n');
  const host = encodeURIComponent(socketFolder);
  return `postgres://postgres:${encodeURIComponent(databasePassword)}@${host}:${port}/postgres`;
}

// A killed process leaves its PostgreSQL behind, as it should: the next start takes care of it. Here there is none.
async function stopLeftOverPostgres(dataDirectory: string): Promise<void> {
  const pidFile = join(dataDirectory, 'postgres', 'data', 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
  try {
    process.kill(pid, 'SIGQUIT');
  } catch {
    return;
  }
  await eventually(() => {
    if (existsSync(pidFile)) throw new Error('PostgreSQL still runs');
  });
}
