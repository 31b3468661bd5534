import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeKernelLock, tryKernelLock } from '@gatehouse/platform/locking';
import { z } from 'zod';

const processSchema = z.strictObject({ pid: z.number().int(), url: z.string().nullable() });

/** The process that holds a data directory, and where it listens once it does. */
export type RunningProcess = z.infer<typeof processSchema>;

/** A data directory taken by this process. */
export interface TakenDirectory {
  /** Tells other commands where this process listens. */
  announce(url: string): Promise<void>;
  release(): Promise<void>;
}

const infoFile = (dataDirectory: string): string => join(dataDirectory, 'process.json');
const lockFile = (dataDirectory: string): string => join(dataDirectory, 'lock');

/** Who holds the data directory now. The kernel knows whether somebody does; the file beside the lock only says who. */
export async function findRunning(dataDirectory: string): Promise<RunningProcess | undefined> {
  const info = await readInfo(dataDirectory);
  if (info === undefined) return undefined;
  const free = tryKernelLock(lockFile(dataDirectory));
  free?.release();
  return free === undefined ? info : undefined;
}

/** Takes the data directory, which must be there, or says which process has it. */
export async function takeDataDirectory(dataDirectory: string): Promise<TakenDirectory> {
  const lock = await takeKernelLock(lockFile(dataDirectory));
  if (lock === undefined) {
    const holder = await readInfo(dataDirectory);
    const who = holder === undefined ? '' : ` (process ${holder.pid})`;
    throw new Error(`another Gatehouse${who} uses the data directory ${dataDirectory}`);
  }
  const write = (url: string | null): Promise<void> =>
    writeFile(
      infoFile(dataDirectory),
      JSON.stringify({ pid: process.pid, url } satisfies RunningProcess),
      { mode: 0o600 },
    );
  await write(null);
  return {
    announce: write,
    async release() {
      await rm(infoFile(dataDirectory), { force: true });
      lock.release();
    },
  };
}

async function readInfo(dataDirectory: string): Promise<RunningProcess | undefined> {
  try {
    return processSchema.parse(JSON.parse(await readFile(infoFile(dataDirectory), 'utf8')));
  } catch {
    // Not there, or half written by a process that was killed: either way it names nobody.
    return undefined;
  }
}
