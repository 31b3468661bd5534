import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 300;
const RETRY_MS = 20;

/** A lock that the kernel frees when its holder ends, however it ends. */
export interface KernelLock {
  release(): void;
}

/** Takes the lock of a file (made where it is not, mode 0600); undefined where somebody else holds it. */
export function tryKernelLock(file: string): KernelLock | undefined {
  closeSync(openSync(file, 'a', 0o600));
  // SQLite is here for its file lock alone: Node offers no other that the kernel frees when the holder is killed.
  const lock = new DatabaseSync(file);
  try {
    lock.exec('pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive');
    return { release: () => lock.close() };
  } catch {
    lock.close();
    return undefined;
  }
}

/** The same, with patience for somebody who only looked whether it is held. */
export async function takeKernelLock(file: string): Promise<KernelLock | undefined> {
  for (let waited = 0; ; waited += RETRY_MS) {
    const lock = tryKernelLock(file);
    if (lock !== undefined || waited >= PATIENCE_MS) return lock;
    await sleep(RETRY_MS);
  }
}
