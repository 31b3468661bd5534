import { topicOf, type RecordedEvent, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, EventStore, OutgoingMessage } from '@gatehouse/event-sourcing';
import type { PoolClient } from 'pg';
import type { ServiceDatabase } from '../database/service-database.ts';
import type { Logger } from '../log/logger.ts';
import { Pulse } from '../worker/pulse.ts';
import type { Worker } from '../worker/worker.ts';
import { toMessage } from './event-message.ts';

const BATCH = 500;
const POLL_MS = 100;
const CONSUMER = 'outbox';

/** A compacted topic that an owner keeps: which entities an event touches, and what they are now (null = gone). */
export interface StateFeed {
  readonly topic: TopicDefinition;
  touchedBy(event: RecordedEvent): Promise<readonly string[]> | readonly string[];
  load(key: string): Promise<unknown>;
}

/**
 * Carries the log to the bus: every event to the service's topic, and the state of every entity it touched to the
 * state topics, in order of position. The checkpoint moves after the bus has answered, so a crash repeats and never
 * loses. One relay of a service is active at a time, by a session lock; the others stand by.
 */
export class OutboxRelay implements Worker {
  readonly name: string;
  readonly #database: ServiceDatabase;
  readonly #store: EventStore;
  readonly #bus: EventBus;
  readonly #feeds: readonly StateFeed[];
  readonly #pulse: Pulse;
  #unsubscribe: (() => void) | undefined;
  #lock: PoolClient | undefined;
  #position: number | undefined;

  constructor(deps: {
    database: ServiceDatabase;
    store: EventStore;
    bus: EventBus;
    log: Logger;
    feeds?: readonly StateFeed[];
  }) {
    this.name = `${deps.database.service} outbox relay`;
    this.#database = deps.database;
    this.#store = deps.store;
    this.#bus = deps.bus;
    this.#feeds = deps.feeds ?? [];
    this.#pulse = new Pulse(
      () => this.#relayBatch(),
      POLL_MS,
      deps.log.child({ worker: this.name }),
    );
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#store.onAppended(() => this.#pulse.poke());
    this.#pulse.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#pulse.stop();
    this.#lock?.release(true);
    this.#lock = undefined;
  }

  async #relayBatch(): Promise<boolean> {
    if (!(await this.#isActive())) return false;
    this.#position ??= await this.#readCheckpoint();
    const events = await this.#store.readAll(this.#position, BATCH);
    const last = events.at(-1);
    if (last === undefined) return false;
    // State first: it is what gateways decide by, and a revocation must not queue behind history.
    await this.#publishState(events, last.position);
    await this.#bus.publish(topicOf(this.#database.service), events.map(toMessage));
    await this.#database.pool.query(
      `insert into checkpoint (consumer, position) values ($1, $2)
       on conflict (consumer) do update set position = excluded.position`,
      [CONSUMER, last.position],
    );
    this.#position = last.position;
    return events.length === BATCH;
  }

  async #publishState(events: readonly RecordedEvent[], position: number): Promise<void> {
    for (const feed of this.#feeds) {
      const touched = new Set<string>();
      for (const event of events) for (const key of await feed.touchedBy(event)) touched.add(key);
      const messages: OutgoingMessage[] = [];
      for (const key of touched) messages.push(toStateMessage(key, await feed.load(key), position));
      if (messages.length > 0) await this.#bus.publish(feed.topic, messages);
    }
  }

  async #readCheckpoint(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ position: number }>(
      'select position from checkpoint where consumer = $1',
      [CONSUMER],
    );
    return rows[0]?.position ?? 0;
  }

  async #isActive(): Promise<boolean> {
    if (this.#lock !== undefined) return true;
    const client = await this.#database.pool.connect();
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock(hashtext($1)) as locked',
      [this.name],
    );
    if (rows[0]?.locked !== true) {
      client.release();
      return false;
    }
    // The lock lives as long as its connection: when that breaks, somebody else may already be relaying.
    client.on('error', () => {
      this.#lock?.release(true);
      this.#lock = undefined;
      this.#position = undefined;
    });
    this.#lock = client;
    return true;
  }
}

function toStateMessage(key: string, value: unknown, position: number): OutgoingMessage {
  return {
    key,
    value: value === null ? null : Buffer.from(JSON.stringify(value)),
    headers: { 'content-type': 'application/json', position: String(position) },
  };
}
