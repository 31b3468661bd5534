import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const processSchema = z.strictObject({ pid: z.number().int(), url: z.string().nullable() });

/** The process that holds a data directory, and where it listens once it does. */
export type RunningProcess = z.infer<typeof processSchema>;

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'process.json');

/** Who holds the data directory now; undefined when nobody does, whatever a killed process left behind. */
export async function findRunning(dataDirectory: string): Promise<RunningProcess | undefined> {
  try {
    const found = processSchema.parse(JSON.parse(await readFile(fileOf(dataDirectory), 'utf8')));
    return isAlive(found.pid) ? found : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return undefined;
    throw error;
  }
}

/** Takes the data directory for this process, or says which process has it. */
export async function takeDataDirectory(dataDirectory: string): Promise<{
  announce(url: string): Promise<void>;
  release(): Promise<void>;
}> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o755 });
  const file = fileOf(dataDirectory);
  const holder = await findRunning(dataDirectory);
  if (holder !== undefined && holder.pid !== process.pid) {
    throw new Error(
      `another Gatehouse (process ${holder.pid}) uses the data directory ${dataDirectory}`,
    );
  }
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Error(`another Gatehouse is just starting on ${dataDirectory}`);
    throw error;
  });
  const write = (url: string | null): Promise<void> =>
    writeFile(file, JSON.stringify({ pid: process.pid, url } satisfies RunningProcess), {
      mode: 0o600,
    });
  await handle.close();
  await write(null);
  return { announce: write, release: () => rm(file, { force: true }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
