import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import type { Logger } from '../../log/logger.ts';
import { sleepUnless } from '../patience.ts';

const CHANNEL = 'gatehouse_bus';
const NOTIFY_EVERY_MS = 5;
const RECONNECT_MS = 200;
const FAREWELL_MS = 500;

/** The database session that this process listens on: others see by it that the process lives. */
export interface Session {
  readonly pid: number;
  readonly started: string;
}

export interface ListenerEvents {
  /** Messages may have arrived, from another process. */
  onMessages(): void;
  /** Members of a group came or went. */
  onGroup(group: string): void;
  /** Listening anew, after having missed who knows what. */
  onConnected(): void;
}

/** The one connection that a bus keeps for itself: it hears of others' messages and tells of ours, at most every 5 ms. */
export class Listener {
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #events: ListenerEvents;
  readonly #id: string;
  readonly #closed = new AbortController();
  #client: Client | undefined;
  #session: Session | undefined;
  #running: Promise<void> | undefined;
  #lastNotify = 0;
  #hasNews = false;
  #isTelling = false;

  constructor(deps: { pool: Pool; log: Logger; id: string; events: ListenerEvents }) {
    this.#pool = deps.pool;
    this.#log = deps.log;
    this.#id = deps.id;
    this.#events = deps.events;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Resolves after the first attempt to listen, whether or not it succeeded: polling covers for a lost listener. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#running = this.#run(resolve);
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  /** Tells other processes, never inside a writer's transaction: a NOTIFY there makes commits queue for one lock. */
  announce(): void {
    this.#hasNews = true;
    if (!this.#isTelling) void this.#tell();
  }

  /** One query at a time; news that came without a connection waits for the next one. */
  async #tell(): Promise<void> {
    const { signal } = this.#closed;
    this.#isTelling = true;
    while (this.#hasNews && this.#client !== undefined && !signal.aborted) {
      const due = this.#lastNotify + NOTIFY_EVERY_MS - performance.now();
      if (due > 0) await sleepUnless(signal, due);
      this.#hasNews = false;
      this.#lastNotify = performance.now();
      const client = this.#client;
      const told = client?.query('select pg_notify($1, $2)', [CHANNEL, this.#id]);
      // One that does not answer hears nothing either: its end brings the next.
      await told?.catch(() => void client?.end().catch(() => undefined));
    }
    this.#isTelling = false;
  }

  async #run(firstAttemptDone: () => void): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const ended = await this.#connect().catch((error: unknown) => {
        this.#log.warn({ err: error }, 'the bus cannot listen; it polls until it can');
        return undefined;
      });
      firstAttemptDone();
      await ended?.();
      this.#session = undefined;
      this.#client = undefined;
      await sleepUnless(this.#closed.signal, RECONNECT_MS);
    }
  }

  async #connect(): Promise<() => Promise<void>> {
    // Not a copy of the options: the pool keeps its password out of reach of one.
    const client = new Client(this.#pool.options);
    let end!: () => void;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    client.once('end', end).on('error', end);
    client.on('notification', ({ payload = '' }) => this.#hear(payload));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      const { rows } = await client.query<Session>(
        'select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()',
      );
      this.#session = rows[0];
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    if (!this.#closed.signal.aborted) this.#events.onConnected();
    if (this.#hasNews) this.announce();
    return async () => {
      const { signal } = this.#closed;
      signal.addEventListener('abort', end);
      if (!signal.aborted) await ended;
      signal.removeEventListener('abort', end);
      // A dead wire never answers the farewell.
      await Promise.race([
        client.end().catch(() => undefined),
        sleep(FAREWELL_MS, undefined, { ref: false }),
      ]);
    };
  }

  #hear(payload: string): void {
    if (payload.startsWith('group ')) this.#events.onGroup(payload.slice('group '.length));
    else if (payload !== this.#id) this.#events.onMessages();
  }
}
