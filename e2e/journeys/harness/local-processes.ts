import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@gatehouse/testing';
import { environmentOfImage } from './image.ts';

/** What the image calls `gatehouse`, as this checkout has it. */
const GATEHOUSE = join(
  fileURLToPath(new URL('../../../', import.meta.url)),
  'services/standalone/bin/gatehouse.mjs',
);

/** What somebody's container says to `gatehouse`. */
export interface ProcessDescription {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A command that becomes it, such as one that looks on. */
  readonly through?: readonly string[];
}

/** Processes of `gatehouse` by names of our choice, started as they are described, in one folder, on the environment of the image. */
export class LocalProcesses {
  /** What every process has in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #gatehouse: string;
  readonly #running = new Map<string, ChildProcess>();
  readonly #logs = new Map<string, string>();
  readonly #printed: string[] = [];

  constructor(folder: string, gatehouse = GATEHOUSE) {
    this.#folder = folder;
    this.#gatehouse = gatehouse;
    this.environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      TMPDIR: folder,
      NO_COLOR: '1',
      ...environmentOfImage('service'),
    };
  }

  #spawn({ args, env, through = [] }: ProcessDescription): ChildProcess {
    const [program = '', ...rest] = [...through, process.execPath, this.#gatehouse, ...args];
    const child = spawn(program, rest, {
      env: { ...this.environment, ...env },
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => this.#printed.push(text));
    return child;
  }

  /** All that any of them has printed, from the first on. */
  get printed(): string {
    return this.#printed.join('');
  }

  start(name: string, described: ProcessDescription): void {
    const child = this.#spawn(described);
    this.#running.set(name, child);
    child.stderr?.on('data', (text: string) => {
      this.#logs.set(name, ((this.#logs.get(name) ?? '') + text).slice(-50_000));
    });
  }

  /** To its end, which must be a good one; answers what it printed. */
  async runOnce(described: ProcessDescription): Promise<string> {
    const child = this.#spawn(described);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: string) => (output += text));
    await once(child, 'close');
    if (child.exitCode !== 0) throw new Error(output);
    return output;
  }

  /** Resolves when it answers 200 at this address. */
  async answers(name: string, url: string): Promise<void> {
    const child = this.#running.get(name);
    await eventually(
      async () => {
        // Where the process has ended, another one may answer at its address.
        if (child?.exitCode !== null || child.signalCode !== null)
          throw new Error(`${name} does not run:\n${this.logOf(name)}`);
        const { status } = await fetch(url);
        if (status !== 200) throw new Error(`${name} answers ${status}:\n${this.logOf(name)}`);
      },
      { timeoutMs: 90_000, everyMs: 50 },
    );
  }

  /** Answers its exit code; null where it was killed, or did not run. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  }

  /** Throws where it does not run. */
  pidOf(name: string): number {
    const pid = this.#running.get(name)?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  /** What it has logged so far. */
  logOf(name: string): string {
    return this.#logs.get(name) ?? '';
  }

  async killAll(): Promise<void> {
    for (const name of this.#running.keys()) await this.stop(name, 'SIGKILL');
  }
}
