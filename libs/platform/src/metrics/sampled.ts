import { setTimeout as sleep } from 'node:timers/promises';

const MAX_AGE_MS = 1_000;
const PATIENCE_MS = 500;
/** As often as somebody looks: what is older would be shown as if it still were so. */
const HOLDS_MS = 15_000;

/**
 * A value that costs a question to somebody else. It is asked for when it is wanted, at most once a second however many
 * want it, and nobody waits long: while an answer is on its way the last one holds, for a while. Who fails to answer has
 * no value.
 */
export class Sampled<T> {
  readonly #ask: () => Promise<T>;
  #latest: { readonly value: T; readonly at: number } | undefined;
  #asking: Promise<void> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  async get(): Promise<T | undefined> {
    if (this.#valueWithin(MAX_AGE_MS) === undefined) {
      this.#asking ??= this.#renew();
      await Promise.race([this.#asking, sleep(PATIENCE_MS, undefined, { ref: false })]);
    }
    return this.#valueWithin(HOLDS_MS);
  }

  #valueWithin(maxAgeMs: number): T | undefined {
    const latest = this.#latest;
    return latest !== undefined && performance.now() - latest.at < maxAgeMs
      ? latest.value
      : undefined;
  }

  async #renew(): Promise<void> {
    try {
      const value = await this.#ask();
      this.#latest = { value, at: performance.now() };
    } catch {
      // Why it cannot answer is somebody else's alarm.
      this.#latest = undefined;
    } finally {
      this.#asking = undefined;
    }
  }
}
