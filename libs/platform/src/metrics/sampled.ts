import { setTimeout as sleep } from 'node:timers/promises';

const MAX_AGE_MS = 1_000;
const PATIENCE_MS = 500;

/**
 * A value that costs a question to somebody else. It is asked for when it is wanted, at most once a second however many
 * want it, and nobody waits long: while there is no answer, the last one holds.
 */
export class Sampled<T> {
  readonly #ask: () => Promise<T>;
  #latest: { readonly value: T; readonly at: number } | undefined;
  #asking: Promise<void> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  async get(): Promise<T | undefined> {
    const isFresh = this.#latest !== undefined && performance.now() - this.#latest.at < MAX_AGE_MS;
    if (!isFresh) {
      this.#asking ??= this.#renew();
      await Promise.race([this.#asking, sleep(PATIENCE_MS, undefined, { ref: false })]);
    }
    return this.#latest?.value;
  }

  async #renew(): Promise<void> {
    try {
      const value = await this.#ask();
      this.#latest = { value, at: performance.now() };
    } catch {
      // Whoever cannot answer is somebody else's alarm.
    } finally {
      this.#asking = undefined;
    }
  }
}
