import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@gatehouse/platform';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Spool, type SpoolSettings } from './spool.ts';

const log = createLogger({ service: 'test', level: 'silent' });
let directory = '';
const opened: Spool[] = [];

beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'))));
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(settings: Partial<SpoolSettings> = {}, logger = log): Promise<Spool> {
  const defaults = {
    directory,
    segmentBytes: 2_000,
    backlogLimitBytes: 1e9,
    minFreeBytes: 0,
    retryAfterMs: 1,
  };
  const spool = await Spool.open({ ...defaults, ...settings }, logger);
  opened.push(spool);
  return spool;
}

async function close(spool: Spool): Promise<void> {
  opened.splice(opened.indexOf(spool), 1);
  await spool.close();
}

const note = (spool: Spool, text: string) =>
  spool.append((sequence) => Buffer.from(`${sequence}:${text}`));
const notes = (spool: Spool, count: number, text = 'x'.repeat(90)) =>
  Promise.all(Array.from({ length: count }, () => note(spool, text)));
const segments = async () =>
  (await readdir(directory)).filter((name) => name.endsWith('.segment')).toSorted();

async function sequences(spool: Spool, { relay = true } = {}): Promise<number[]> {
  const seen: number[] = [];
  for (;;) {
    const frames = await spool.peek(7);
    if (frames.length === 0) return seen;
    for (const { sequence, payload } of frames) {
      expect(payload.toString()).toMatch(new RegExp(`^${sequence}:`));
      seen.push(sequence);
    }
    if (!relay) return seen;
    await spool.markRelayed(frames);
  }
}
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('the spool', () => {
  test('numbers records without a gap over segments and restarts, and keeps its source', async () => {
    const first = await open();
    await notes(first, 100);
    const { source } = first;
    await close(first);
    expect((await segments()).length).toBeGreaterThan(0);
    const second = await open();
    await notes(second, 50);
    expect(second.source).toBe(source);
    expect(await sequences(second)).toEqual(upTo(150));
  });

  test('begins a new segment when one is full, and deletes what is relayed but for the newest', async () => {
    const spool = await open();
    for (let round = 0; round < 10; round += 1) await notes(spool, 20);
    expect((await segments()).length).toBeGreaterThan(5);
    expect(await sequences(spool)).toEqual(upTo(200));
    expect((await segments()).length).toBe(1);
    expect(spool.health()).toMatchObject({ backlogBytes: 0, relayedSequence: 200 });
  });

  test('relays again after a restart exactly what was not marked', async () => {
    const first = await open();
    await notes(first, 20);
    await first.markRelayed(await first.peek(13));
    await close(first);
    expect(await sequences(await open())).toEqual(upTo(20, 14));
  });

  test('goes on with its numbers when all was relayed and the mark is lost', async () => {
    const first = await open();
    for (let round = 0; round < 5; round += 1) await notes(first, 20);
    await sequences(first);
    await close(first);
    await unlink(join(directory, 'relayed'));
    const second = await open();
    await note(second, 'next');
    expect(second.health().lastSequence).toBe(101);
  });

  test('peeks the same records until they are marked', async () => {
    const spool = await open();
    await notes(spool, 5);
    expect(await sequences(spool, { relay: false })).toEqual(upTo(5));
    expect(await sequences(spool, { relay: false })).toEqual(upTo(5));
  });

  test('cuts a torn end off, keeps it aside, and writes on behind it', async () => {
    const first = await open({ segmentBytes: 1e6 });
    await notes(first, 10);
    await close(first);
    const [name] = (await segments()) as [string];
    await appendFile(join(directory, name), Buffer.from('half a frame, never acknowledged'));
    const second = await open();
    await note(second, 'after');
    expect(await sequences(second)).toEqual(upTo(11));
    expect(await readFile(join(directory, `${name}.torn`), 'utf8')).toBe(
      'half a frame, never acknowledged',
    );
  });

  test('does not give a number out again whose record was damaged on disk: the gap shows', async () => {
    const first = await open({ segmentBytes: 1e6 });
    await notes(first, 10);
    await close(first);
    const path = join(directory, ((await segments()) as [string])[0]);
    const content = await readFile(path);
    content[Math.floor(content.length / 2)]! ^= 0xff;
    await writeFile(path, content);
    const second = await open();
    await note(second, 'after');
    const seen = await sequences(second);
    expect(seen.at(-1)).toBe(11);
    expect(seen.length).toBe(6);
  });

  test('relays around a damaged segment and keeps it for whoever must explain it', async () => {
    const first = await open();
    for (let round = 0; round < 3; round += 1) await notes(first, 20);
    await close(first);
    const [oldest] = (await segments()) as [string];
    await truncate(join(directory, oldest), 500);
    const second = await open();
    const seen = await sequences(second);
    expect(seen.at(-1)).toBe(60);
    expect(seen.length).toBeLessThan(60);
    await note(second, 'on');
    await sequences(second);
    expect(await readdir(directory)).toContain(`${oldest}.damaged`);
  });

  test('is one process’s alone', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(/in use by another process/);
    await close(first);
    await open();
  });

  test('refuses to guess its source where evidence lies without one', async () => {
    const first = await open();
    await note(first, 'x');
    await close(first);
    await unlink(join(directory, 'source'));
    await expect(open()).rejects.toThrow(/source is missing/);
  });

  test('refuses while too much waits to be relayed, and takes more once it is', async () => {
    const spool = await open({ backlogLimitBytes: 5_000 });
    await notes(spool, 60);
    await expect(note(spool, 'one too many')).rejects.toMatchObject({
      code: 'evidence-unavailable',
    });
    await sequences(spool);
    await note(spool, 'again');
    expect(await sequences(spool)).toEqual([61]);
  });

  test('refuses before the volume is full', async () => {
    const spool = await open({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    await expect(note(spool, 'x')).rejects.toMatchObject({ code: 'evidence-unavailable' });
    expect(spool.health().lastSequence).toBe(0);
    expect(await segments()).toEqual([]);
  });

  test('tells once that it cannot write, however often it refuses, and once that it can again', async () => {
    const told: object[] = [];
    const write = (line: string) => void told.push(JSON.parse(line) as object);
    const logger = createLogger({ service: 'test', level: 'info', destination: { write } });
    const spool = await open({ backlogLimitBytes: 5_000 }, logger);
    await notes(spool, 60);
    for (let call = 0; call < 20; call += 1) await expect(note(spool, 'x')).rejects.toThrow();
    expect(told).toMatchObject([{ alarm: true, reason: 'too much evidence waits for the bus' }]);
    await sequences(spool);
    await note(spool, 'again');
    expect(told).toMatchObject([{ alarm: true }, { alarm: false }]);
    await close(spool);
    told.length = 0;
    const full = await open({ minFreeBytes: Number.MAX_SAFE_INTEGER }, logger);
    for (let call = 0; call < 20; call += 1) {
      await expect(note(full, 'x')).rejects.toThrow();
      await sleep(5);
    }
    const message = expect.stringContaining('bytes left') as string;
    expect(told).toMatchObject([{ alarm: true, err: { message } }]);
  });

  test('refuses when its folder is taken away', async () => {
    const spool = await open();
    await notes(spool, 40);
    await rm(directory, { recursive: true });
    await expect(notes(spool, 40)).rejects.toMatchObject({ code: 'evidence-unavailable' });
    expect(spool.health().lastSequence).toBe(40);
  });

  test('writes what waits when it is closed, and nothing after', async () => {
    const spool = await open();
    const waiting = notes(spool, 10);
    await close(spool);
    await waiting;
    await expect(note(spool, 'late')).rejects.toMatchObject({ code: 'evidence-unavailable' });
    expect(await sequences(await open())).toEqual(upTo(10));
  });

  test('leaves no hole where a record cannot be built', async () => {
    const spool = await open();
    await expect(spool.append(() => Buffer.alloc(2_000_000))).rejects.toThrow(RangeError);
    await note(spool, 'x');
    expect(await sequences(spool)).toEqual([1]);
  });
});
