import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRunning, takeDataDirectory } from './process-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-process-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('the data directory of a process', () => {
  it('has one holder at a time, who says where it listens', async () => {
    const taken = await takeDataDirectory(directory);
    expect(await findRunning(directory)).toEqual({ pid: process.pid, url: null });
    await taken.announce('http://127.0.0.1:1');
    expect(await findRunning(directory)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:1' });
    await expect(takeDataDirectory(directory)).rejects.toThrow(
      `another Gatehouse (process ${process.pid})`,
    );
    await taken.release();
    expect(await findRunning(directory)).toBeUndefined();
    await (await takeDataDirectory(directory)).release();
  });

  it('is free again after a holder that was killed, though its process id is somebody else’s now', async () => {
    await writeFile(
      join(directory, 'process.json'),
      JSON.stringify({ pid: 1, url: 'http://127.0.0.1:1' }),
    );
    expect(await findRunning(directory)).toBeUndefined();
    const taken = await takeDataDirectory(directory);
    expect(JSON.parse(await readFile(join(directory, 'process.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
    });
    await taken.release();
  });

  it('is not held up by what a crash half wrote', async () => {
    await writeFile(join(directory, 'process.json'), '{"pid":');
    expect(await findRunning(directory)).toBeUndefined();
    await (await takeDataDirectory(directory)).release();
  });

  it('shows its lock and its address to its owner alone', async () => {
    const taken = await takeDataDirectory(directory);
    for (const name of ['lock', 'process.json']) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    }
    await taken.release();
  });
});
