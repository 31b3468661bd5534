import { execFile } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CHUNK = 256 * 1024;

/** A file system of its own in memory, small enough to fill up. */
export interface SmallVolume {
  readonly path: string;
  /** Takes all the room that is left, but for so many bytes. */
  fill(leave?: number): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts one. Needs what only root has. */
export async function mountSmallVolume(path: string, bytes: number): Promise<SmallVolume> {
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'tmpfs', path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    async fill(leave = 0) {
      const file = await open(ballast, 'a');
      try {
        for (;;) {
          const { bavail, bsize } = await statfs(path);
          const room = bavail * bsize - leave;
          if (room <= 0) return;
          await file.write(Buffer.alloc(Math.min(room, CHUNK)));
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    async unmount() {
      // Lazily: a process that was killed a moment ago may still be letting go.
      await run('umount', ['--lazy', path]);
    },
  };
}
