import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@gatehouse/platform';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Spool, type SpoolSettings } from './spool.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const spoolUrl = new URL('./spool.ts', import.meta.url).href;
const patience = { timeoutMs: 20_000 };
const children: Child[] = [];
let root = '';

beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'gatehouse-crash-'))));
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
});
afterAll(() => rm(root, { recursive: true, force: true }));

const settingsIn = (directory: string): SpoolSettings => ({
  directory,
  segmentBytes: 64 * 1024,
  backlogLimitBytes: 1e9,
  minFreeBytes: 0,
  retryAfterMs: 5,
});

/** A process of its own with an open `spool`; what it says lies in a pipe and so survives its end. */
class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly #allRead: Promise<unknown>;
  #killed = false;

  constructor(directory: string, body: string, wrapper: readonly string[] = []) {
    const script = `
      import { writeSync } from 'node:fs';
      import { Spool } from ${JSON.stringify(spoolUrl)};
      const say = (line) => writeSync(1, line + '\\n');
      // Every attempt that fails carries its error; that the alarm is over does not.
      const failed = ({ err }) => { if (err !== undefined) say('alarm'); };
      const log = { debug: failed, info() {}, warn() {}, error: failed };
      const spool = await Spool.open(${JSON.stringify(settingsIn(directory))}, log);
      ${body}`;
    const node = [process.execPath, '--conditions=source', '--input-type=module', '-e', script];
    const [command, ...parameters] = [...wrapper, ...node] as [string, ...string[]];
    this.process = spawn(command, parameters, {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    children.push(this);
    const reader = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    reader.on('line', (line) => this.lines.push(line));
    this.#allRead = once(reader, 'close');
  }

  said(kind: string): string[] {
    return this.lines
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => line.slice(kind.length + 1));
  }

  async says(kind: string, times: number): Promise<void> {
    await eventually(() => expect(this.said(kind).length).toBeGreaterThanOrEqual(times), patience);
  }

  async kill(): Promise<void> {
    // The group, for a tracer that is killed lets go of what it traces.
    if (!this.#killed) process.kill(-(this.process.pid as number), 'SIGKILL');
    this.#killed = true;
    await this.#allRead;
  }
}

async function readBack(directory: string): Promise<Map<number, string>> {
  const spool = await Spool.open(settingsIn(directory), log);
  const records = new Map<number, string>();
  try {
    for (;;) {
      const frames = await spool.peek(500);
      if (frames.length === 0) return records;
      for (const { sequence, payload } of frames) records.set(sequence, payload.toString().trim());
      await spool.markRelayed(frames);
    }
  } finally {
    await spool.close();
  }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('the spool of a process that is killed', () => {
  const appendWithoutEnd = (run: number) => `
    const caller = async (name) => {
      for (let n = 0; ; n += 1) {
        const text = '${run}/' + name + '/' + n;
        await spool.append(() => Buffer.from(text.padEnd(40 + (n * 37) % 900)));
        say('acknowledged ' + text);
      }
    };
    for (let name = 0; name < 48; name += 1) void caller(name);`;
  const relayToo = `
    for (;;) {
      const frames = await spool.peek(50);
      for (const { sequence, payload } of frames) say('relayed ' + sequence + ' ' + payload.toString().trim());
      if (frames.length > 0) await spool.markRelayed(frames);
      else await new Promise((resolve) => setTimeout(resolve, 2));
    }`;

  test.for([
    { name: 'keeps every acknowledged record, once, over five kills', body: '' },
    {
      name: 'loses nothing between disk and relay, over five kills while it relays',
      body: relayToo,
    },
  ])('$name', async ({ body }) => {
    const directory = await mkdtemp(join(root, 'kill-'));
    const acknowledged: string[] = [];
    const records = new Map<number, string>();
    const note = (sequence: number, text: string): void => {
      // A repeat is the same record again, never another under the same number.
      expect(records.get(sequence) ?? text).toBe(text);
      records.set(sequence, text);
    };
    for (let run = 0; run < 5; run += 1) {
      const child = new Child(directory, appendWithoutEnd(run) + body);
      await child.says('acknowledged', 200);
      await sleep(Math.random() * 80);
      await child.kill();
      acknowledged.push(...child.said('acknowledged'));
      for (const line of child.said('relayed')) {
        const [sequence, text] = line.split(' ') as [string, string];
        note(Number(sequence), text);
      }
    }
    for (const [sequence, text] of await readBack(directory)) note(sequence, text);

    const kept = new Set(records.values());
    expect(kept.size).toBe(records.size);
    expect([...records.keys()].toSorted((a, b) => a - b)).toEqual(upTo(records.size));
    expect(acknowledged.filter((text) => !kept.has(text))).toEqual([]);
    // What is there without an acknowledgement was in hand at a kill: at most one record a caller.
    expect(kept.size - acknowledged.length).toBeLessThanOrEqual(5 * 48);
  });
});

describe('the spool on a disk that fails', () => {
  const appendAndTell = `
    for (let n = 0; ; n += 1) {
      const text = 'record ' + n;
      await spool.append(() => Buffer.from(text.padEnd(300))).then(
        () => say('acknowledged ' + text),
        (error) => say('refused ' + error.code),
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
    }`;

  async function expectOnlyTheAcknowledged(directory: string, child: Child): Promise<void> {
    await child.kill();
    const acknowledged = child.said('acknowledged');
    const records = await readBack(directory);
    const kept = [...records.values()];
    expect([...records.keys()]).toEqual(upTo(records.size));
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged);
    // The kill may have come between the sync and the word.
    expect(kept.length - acknowledged.length).toBeLessThanOrEqual(1);
    expect(new Set(child.said('refused'))).toEqual(new Set(['evidence-unavailable']));
  }

  test('refuses while the kernel lets no file grow, and heals when it does again', async () => {
    const directory = await mkdtemp(join(root, 'limit-'));
    const child = new Child(directory, appendAndTell);
    const limit = (soft: string) =>
      execFileSync('prlimit', ['--pid', String(child.process.pid), `--fsize=${soft}:unlimited`]);
    await child.says('acknowledged', 30);
    limit('100');
    await child.says('refused', 30);
    const before = child.said('acknowledged').length;
    limit('unlimited');
    await child.says('acknowledged', before + 30);
    await expectOnlyTheAcknowledged(directory, child);
  });

  test.skipIf(!runs('strace', '-V'))('never trusts a segment again whose sync failed', async () => {
    const directory = await mkdtemp(join(root, 'eio-'));
    const inject = 'inject=fdatasync:error=EIO:when=20+20';
    const strace = [
      'strace',
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      'trace=fdatasync',
      '-e',
      inject,
    ];
    const child = new Child(directory, appendAndTell, strace);
    await child.says('refused', 4);
    await child.says('acknowledged', 100);
    await child.kill();
    const alarms = child.lines.filter((line) => line === 'alarm').length;
    const segments = (await readdir(directory)).filter((name) => name.endsWith('.segment'));
    expect(alarms).toBeGreaterThan(0);
    // The newest may not have begun when the kill came.
    expect(segments.length).toBeGreaterThanOrEqual(alarms);
    await expectOnlyTheAcknowledged(directory, child);
  });

  test('refuses on a full volume, and heals when there is room again', async ({ skip }) => {
    const volume = join(root, 'volume');
    await mkdir(volume);
    skip(
      !runs('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', volume),
      'this process may not mount a volume',
    );
    try {
      const ballast = join(volume, 'ballast');
      await writeFile(ballast, Buffer.alloc(512 * 1024));
      const spool = await Spool.open(
        { ...settingsIn(join(volume, 'spool')), segmentBytes: 1e6 },
        log,
      );
      const note = (text: string) => spool.append(() => Buffer.from(text.padEnd(1_000)));
      const acknowledged: string[] = [];
      const until = async (end: 'refused' | 'acknowledged'): Promise<void> => {
        for (let n = 0; n < 2_000; n += 1) {
          const text = `${end}/${acknowledged.length}/${n}`;
          const outcome = await note(text).then(
            () => 'acknowledged',
            (error: { code: string }) => error.code,
          );
          if (outcome === 'acknowledged') acknowledged.push(text);
          else if (outcome !== 'evidence-unavailable') throw new Error(outcome);
          if ((outcome === 'acknowledged') === (end === 'acknowledged')) return;
          if (end === 'acknowledged') await sleep(2);
        }
        throw new Error(`never ${end}`);
      };
      await until('refused');
      expect(acknowledged.length).toBeGreaterThan(100);
      expect(spool.health()).toMatchObject({
        healthy: false,
        detail: expect.stringContaining('ENOSPC') as string,
      });
      await rm(ballast);
      await until('acknowledged');
      expect(spool.health()).toMatchObject({ healthy: true });
      await spool.close();
      expect([...(await readBack(join(volume, 'spool'))).values()]).toEqual(acknowledged);
    } finally {
      execFileSync('umount', [volume]);
    }
  });
});

function runs(command: string, ...parameters: string[]): boolean {
  try {
    execFileSync(command, parameters, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
