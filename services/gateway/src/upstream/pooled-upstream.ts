import type { JsonObject } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Upstream, UpstreamAnswer, UpstreamRequestOptions } from '@gatehouse/upstream-client';

/** A principal's connection to a server, as the pool keeps it: it knows what it carries, and leaves when it may. */
export class PooledUpstream {
  readonly #upstream: Upstream;
  readonly #onBroken: (broken: PooledUpstream) => void;
  #retired = false;
  inFlight = 0;
  lastUsedAt = performance.now();

  constructor(upstream: Upstream, onBroken: (broken: PooledUpstream) => void) {
    this.#upstream = upstream;
    this.#onBroken = onBroken;
  }

  /** The answer to a request; rejects with a Refusal when there is none. */
  async request(
    method: string,
    params: JsonObject,
    options: UpstreamRequestOptions,
  ): Promise<UpstreamAnswer> {
    this.inFlight += 1;
    try {
      return await this.#upstream.request(method, params, options);
    } catch (failure) {
      if (failure instanceof Refusal && failure.code === 'upstream-unavailable') {
        this.#onBroken(this);
      }
      throw failure;
    } finally {
      this.inFlight -= 1;
      this.lastUsedAt = performance.now();
      if (this.#retired && this.inFlight === 0) void this.leave();
    }
  }

  /** Takes no more requests; leaves once those under way are done. */
  retire(): void {
    this.#retired = true;
    if (this.inFlight === 0) void this.leave();
  }

  /** Ends it now; what is under way fails. Resolves when it is gone. */
  leave(): Promise<void> {
    return this.#upstream.close();
  }
}
