import { setTimeout as sleep } from 'node:timers/promises';

/** For how long to try, and how often; by default for as long as a busy machine needs to carry a change through every process. */
export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** Tries an assertion until it holds and returns its result; after the timeout it fails, naming the last failure. */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 10 }: EventuallyOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() < end) {
        await sleep(everyMs);
        continue;
      }
      const last = error instanceof Error ? error.message : String(error);
      throw new Error(`did not come to hold within ${timeoutMs} ms: ${last}`, { cause: error });
    }
  }
}
