import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TokenHandover } from './token-handover.ts';

/** Where the first administrator's token is written. */
export function adminTokenPath(dataDirectory: string): string {
  return join(dataDirectory, 'admin-token');
}

/** Hands the token over as the file `admin-token`: created for its owner alone under another name, flushed, then renamed, so that it is there whole or not at all. */
export function adminTokenFile(dataDirectory: string): TokenHandover {
  const path = adminTokenPath(dataDirectory);
  return {
    async find() {
      try {
        return (await readFile(path, 'utf8')).trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async deliver(token) {
      const temporary = `${path}.${randomUUID()}`;
      try {
        await writeDurably(temporary, `${token}\n`);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await flushFolder(dirname(path));
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  // `wx` is O_CREAT | O_EXCL: never through a link or into a file that somebody else laid there; the mode holds from the first moment.
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
