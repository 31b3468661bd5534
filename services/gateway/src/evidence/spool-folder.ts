import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeKernelLock, type KernelLock } from '@gatehouse/platform/locking';
import { v7 as uuidv7 } from 'uuid';
import { listSegments, syncDirectory } from './segment.ts';

/** The files of a spool that are not segments: who it is, whose it is, and how far it was relayed. */
export class SpoolFolder {
  readonly directory: string;
  readonly source: string;
  readonly #lock: KernelLock;

  private constructor(directory: string, source: string, lock: KernelLock) {
    this.directory = directory;
    this.source = source;
    this.#lock = lock;
  }

  /** Takes the folder for this process alone, for as long as it lives; a second taker is refused. */
  static async take(directory: string): Promise<SpoolFolder> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const lock = await takeLock(directory);
    try {
      return new SpoolFolder(directory, await readOrCreateSource(directory), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Whether a spool was ever kept in the folder. */
  static async isUsed(directory: string): Promise<boolean> {
    const names = await readdir(directory).catch(ignoreMissing);
    if (names === undefined) return false;
    return names.includes('source') || (await listSegments(directory)).length > 0;
  }

  /** The last sequence known to be relayed. Too low is harmless: what is relayed twice is dropped by its sequence. */
  async readRelayed(): Promise<number> {
    const text = await readFile(join(this.directory, 'relayed'), 'utf8').catch(() => '0');
    const relayed = Number(text);
    return Number.isSafeInteger(relayed) && relayed > 0 ? relayed : 0;
  }

  async writeRelayed(sequence: number): Promise<void> {
    const draft = join(this.directory, 'relayed.new');
    await writeFile(draft, String(sequence), { mode: 0o600, flush: true });
    await rename(draft, join(this.directory, 'relayed'));
  }

  release(): void {
    this.#lock.release();
  }
}

async function takeLock(directory: string): Promise<KernelLock> {
  const lock = await takeKernelLock(join(directory, 'lock'));
  if (lock === undefined) {
    throw new Error(`the evidence spool ${directory} is in use by another process`);
  }
  return lock;
}

async function readOrCreateSource(directory: string): Promise<string> {
  const path = join(directory, 'source');
  const known = await readFile(path, 'utf8').catch(ignoreMissing);
  if (known !== undefined) {
    if (!/^[\da-f-]{36}$/.test(known)) throw new Error(`${path} does not hold the id of a spool`);
    return known;
  }
  if ((await listSegments(directory)).length > 0)
    throw new Error(`${path} is missing, but there is evidence beside it`);
  const source = uuidv7();
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(source);
    await file.sync();
    await link(draft, path);
    await syncDirectory(directory);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return source;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
