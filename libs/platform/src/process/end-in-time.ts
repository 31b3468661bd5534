const FAILED = 1;

/** From now on this process has so long to end by itself; whatever still hangs then, it is ended with exit code 1. */
export function endInTime(withinMs: number, say: (sentence: string) => void): void {
  setTimeout(() => {
    say(`did not end within ${withinMs / 1_000} s, and is ended now`);
    process.exit(FAILED);
  }, withinMs).unref();
}
