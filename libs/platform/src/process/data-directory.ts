import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../config/load-config.ts';

/**
 * The folder where a process keeps what is its own, as an absolute path: made where it or the folder above it is
 * missing. Refuses what is no folder (`ConfigError`, by the name of the setting) or cannot be written to.
 */
export async function makeDataDirectory(configured: string, setting: string): Promise<string> {
  const path = resolve(configured);
  let isFolder: boolean;
  try {
    // Node's recursive mkdir never ends on some file systems (procfs): only what is missing at the end is made.
    await mkdir(dirname(path)).catch(ignoreExisting);
    await mkdir(path, { mode: 0o755 }).catch(ignoreExisting);
    await access(path, constants.W_OK);
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw new Error(
      `the data directory ${path} (GATEHOUSE_DATA) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!isFolder)
    throw new ConfigError([
      `${setting}: ${path} is no folder: set GATEHOUSE_DATA to one, or to where one can be made`,
    ]);
  return path;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
