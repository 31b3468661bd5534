import type { PrincipalRef } from '@gatehouse/event-catalog';
import type { Logger } from '@gatehouse/platform';
import { principalKey } from '@gatehouse/principal-directory';
import { Refusal } from '@gatehouse/problem-catalog';
import { connectUpstream } from '@gatehouse/upstream-client';
import { product } from '../product.ts';
import type { ServedServer } from '../state/served-server.ts';
import { PooledUpstream } from './pooled-upstream.ts';

export interface PoolOptions {
  readonly connectTimeoutMs: number;
  readonly resultLimitBytes: number;
  readonly stdioCommands: readonly string[];
  readonly maxUpstreams: number;
  readonly upstreamIdleMs: number;
  readonly log: Logger;
}

interface Entry {
  readonly slug: string;
  readonly principal: string;
  readonly server: ServedServer;
  readonly connecting: Promise<PooledUpstream>;
  connection: PooledUpstream | null;
}

/** Connections to servers, one for each server and principal: no two callers ever share one. */
export class UpstreamPool {
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The principal's connection to the server: the one there is, the one being made, or a new one. */
  acquire(server: ServedServer, principal: PrincipalRef): PooledUpstream | Promise<PooledUpstream> {
    const owner = principalKey(principal);
    const key = `${server.slug}\n${owner}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known.connection ?? known.connecting;
    this.#makeRoom();
    const connecting = this.#connect(server, (broken) =>
      this.#drop(key, (current) => current.connection === broken),
    );
    const entry: Entry = {
      slug: server.slug,
      principal: owner,
      server,
      connecting,
      connection: null,
    };
    this.#entries.set(key, entry);
    connecting.then(
      (connection) => {
        entry.connection = connection;
        // Dropped while it was being made: nobody will ask for it again.
        if (this.#entries.get(key) !== entry) connection.retire();
      },
      () => this.#drop(key, (current) => current === entry),
    );
    return connecting;
  }

  /** Closes, once they carry nothing, the connections that a condition holds for; answers how many. */
  retireWhere(
    condition: (of: { slug: string; principal: string; server: ServedServer }) => boolean,
  ): number {
    let closed = 0;
    for (const [key, entry] of this.#entries) {
      if (!condition(entry)) continue;
      this.#drop(key, () => true);
      closed += 1;
    }
    return closed;
  }

  /** Closes what carried nothing for a while. */
  closeIdle(): void {
    const before = performance.now() - this.#options.upstreamIdleMs;
    for (const [key, { connection }] of this.#entries) {
      if (connection === null || connection.inFlight > 0 || connection.lastUsedAt > before)
        continue;
      this.#drop(key, () => true);
    }
  }

  /** Ends every connection now, and resolves when child processes are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(
      entries.map(async ({ connecting }) => {
        const connection = await connecting.catch(() => null);
        await connection?.leave();
      }),
    );
  }

  async #connect(
    { slug, transport }: ServedServer,
    onBroken: (broken: PooledUpstream) => void,
  ): Promise<PooledUpstream> {
    const { connectTimeoutMs, resultLimitBytes, stdioCommands, log } = this.#options;
    let pooled: PooledUpstream | undefined;
    try {
      const upstream = await connectUpstream(transport, {
        connectTimeoutMs,
        maxMessageBytes: resultLimitBytes,
        stdioCommands,
        clientInfo: product,
        onStderr: (stderr) => log.debug({ server: slug, stderr }, 'a server wrote to its stderr'),
        onLost: () => pooled && onBroken(pooled),
      });
      pooled = new PooledUpstream(upstream, onBroken);
      return pooled;
    } catch (failure) {
      if (!(failure instanceof Refusal) || failure.code !== 'command-not-allowed') throw failure;
      // What the operator allows is no business of callers.
      const { internal = failure.message } = failure;
      throw new Refusal('upstream-unavailable', { internal, cause: failure });
    }
  }

  #drop(key: string, condition: (entry: Entry) => boolean): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || !condition(entry)) return;
    this.#entries.delete(key);
    entry.connection?.retire();
  }

  #makeRoom(): void {
    if (this.#stopped) throw new Refusal('not-ready', { internal: 'the gate is stopping' });
    if (this.#entries.size < this.#options.maxUpstreams) return;
    const idle = [...this.#entries]
      .filter(([, { connection }]) => connection !== null && connection.inFlight === 0)
      .toSorted(([, a], [, b]) => a.connection!.lastUsedAt - b.connection!.lastUsedAt)[0];
    if (idle === undefined) {
      throw new Refusal('overloaded', {
        internal: `${this.#entries.size} connections carry calls`,
      });
    }
    this.#drop(idle[0], () => true);
  }
}
