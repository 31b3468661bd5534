/** Sleeps, but not beyond an abort; says whether the whole time has passed. */
export async function sleepUnless(signal: AbortSignal, milliseconds: number): Promise<boolean> {
  if (signal.aborted) return false;
  return new Promise((resolve) => {
    const settle = (slept: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(slept);
    };
    const onAbort = (): void => settle(false);
    const timer = setTimeout(settle, milliseconds, true);
    signal.addEventListener('abort', onAbort);
  });
}

/** Waiting times that double from `firstMs` up to `capMs`. */
export function backoffMs(attempt: number, firstMs: number, capMs: number): number {
  return Math.min(capMs, firstMs * 2 ** Math.min(attempt - 1, 20));
}
