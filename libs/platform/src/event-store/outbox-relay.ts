import { topicOf, type RecordedEvent, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, EventStore, OutgoingMessage } from '@gatehouse/event-sourcing';
import type { PoolClient } from 'pg';
import type { ServiceDatabase } from '../database/service-database.ts';
import type { Logger } from '../log/logger.ts';
import { systemClock, type Clock } from '../platform.ts';
import { Pulse } from '../worker/pulse.ts';
import type { Worker } from '../worker/worker.ts';
import { CarriedTraces } from './carried-traces.ts';
import { toMessage } from './event-message.ts';
import { UnknownEventType } from './unknown-event-type.ts';
import { relayedEvents, showOutbox } from './event-store-metrics.ts';
import { StateBeats } from './state-beats.ts';
import { StateWatch } from './state-watch.ts';

const BATCH = 500;
const POLL_MS = 100;
// One event may touch ten thousand entities: the first of them must not wait for the last.
const STATE_CHUNK = 500;
const CONSUMER = 'outbox';
const SET_BACK = 'outbox set back';

/** A compacted topic that an owner keeps: which entities some events touch, and what those are now. Both are asked for many at once and should take as many queries for one as for all. */
export interface StateFeed {
  readonly topic: TopicDefinition;
  touchedBy(events: readonly RecordedEvent[]): Promise<readonly string[]> | readonly string[];
  /** The present state by key; a key that is not in the answer is gone. */
  load(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  /** Reads a message as those do who decide by it, null where the entity is gone; throws where they could make nothing of it. */
  check(key: string, value: Buffer | null): unknown;
}

interface Telling {
  readonly traceparents?: ReadonlyMap<string, string | undefined>;
  readonly only?: (messages: readonly OutgoingMessage[]) => readonly OutgoingMessage[];
}

/**
 * Carries the log to the bus: every event to the service's topic, and the state of every entity it touched to the
 * state topics, in order of position. The checkpoint moves after the bus has answered, so a crash repeats and never
 * loses. One relay of a service is active at a time, by a session lock; the others stand by. When all is told, the active
 * one says so in its state topics, for gates that must not decide on what may be old.
 */
export class OutboxRelay implements Worker {
  readonly name: string;
  readonly #database: ServiceDatabase;
  readonly #store: EventStore;
  readonly #bus: EventBus;
  readonly #feeds: readonly StateFeed[];
  readonly #beats: StateBeats;
  readonly #traces: CarriedTraces;
  readonly #watch: StateWatch;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pulse: Pulse;
  #unsubscribe: (() => void) | undefined;
  #stopShowing: (() => void) | undefined;
  #lock: PoolClient | undefined;
  #position: number | undefined;
  #setBack = false;

  constructor(deps: {
    database: ServiceDatabase;
    store: EventStore;
    bus: EventBus;
    log: Logger;
    feeds?: readonly StateFeed[];
    clock?: Clock;
  }) {
    this.name = `${deps.database.service} outbox relay`;
    this.#database = deps.database;
    this.#store = deps.store;
    this.#bus = deps.bus;
    this.#feeds = deps.feeds ?? [];
    this.#clock = deps.clock ?? systemClock;
    this.#traces = new CarriedTraces(`relay ${deps.database.service}`);
    this.#beats = new StateBeats(
      deps.bus,
      this.#feeds.map(({ topic }) => topic),
    );
    this.#log = deps.log.child({ worker: this.name });
    this.#pulse = new Pulse(() => this.#relayBatch(), POLL_MS, this.#log);
    const goOn = (): void => this.#pulse.poke();
    this.#watch = new StateWatch(deps.bus, this.#feeds, deps.log, goOn);
  }

  async start(): Promise<void> {
    // A start that failed is tried again; what waits is shown meanwhile.
    this.#unsubscribe ??= this.#store.onAppended(() => this.#pulse.poke());
    this.#stopShowing ??= showOutbox(this.#database, () => this.#lock !== undefined);
    await this.#watch.start();
    this.#pulse.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#stopShowing?.();
    await this.#pulse.stop();
    await this.#watch.stop();
    this.#lock?.release(true);
    this.#lock = undefined;
  }

  async #relayBatch(): Promise<boolean> {
    const lock = await this.#takeLock();
    if (lock === undefined || !this.#watch.caughtUp) return false;
    const from = (this.#position ??= await this.#begin());
    // Taken before the log is read: what is committed while it is read is not claimed to be told.
    const at = this.#clock.now().toISOString();
    const events = await this.#read(from);
    const position = events.at(-1)?.position ?? from;
    if (await this.#isSetBack(position)) return false;
    await this.#relay(events, lock);
    if (this.#lock !== lock || events.length === BATCH) return true;
    await this.#watch.setRight(position, (feed, keys) =>
      this.#tell(feed, keys, position, { only: (them) => this.#watch.legible(feed, them) }),
    );
    await this.#beats.send({ at, position });
    return false;
  }

  // What a newer release wrote, the relay of a newer process can carry: it gets the lock.
  async #read(from: number): Promise<readonly RecordedEvent[]> {
    try {
      return await this.#store.readAll(from, BATCH);
    } catch (error) {
      if (error instanceof UnknownEventType) this.#standBack();
      throw error;
    }
  }

  /**
   * Whether the bus was told of more than the log holds: somebody restored the database, or a replica that lagged took
   * over. Readers keep the newest position, so they would pass over what is told now, revocations too; and what was
   * revoked after the backup is valid in it again. So nothing is told, who decides by it stops by itself, and it stays so,
   * though the log may grow past that point, until a person has seen to it.
   */
  async #isSetBack(position: number): Promise<boolean> {
    const told = this.#watch.highest;
    // Another relay may have told what was appended since the log was read.
    if (!this.#setBack && told > position && told > (await this.#store.head())) {
      await this.#moveCheckpoint(SET_BACK, told);
      this.#sayItIsSetBack(told);
    }
    return this.#setBack;
  }

  #sayItIsSetBack(told: number): void {
    this.#setBack = true;
    this.#log.error(
      { alarm: true, service: this.#database.service, told },
      'the database was set back behind what was told of it: nothing is told any more',
    );
  }

  #standBack(): void {
    this.#lock?.release(true);
    this.#lock = undefined;
    this.#position = undefined;
  }

  async #relay(events: readonly RecordedEvent[], lock: PoolClient): Promise<void> {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#traces.carry(events);
    // State first: it is what gateways decide by, and a revocation must not queue behind history.
    await this.#publishState(events, last.position);
    await this.#bus.publish(
      topicOf(this.#database.service),
      events.map((event) => toMessage(this.#traces.carried(event))),
    );
    await this.#moveCheckpoint(CONSUMER, last.position);
    // Who lost the lock meanwhile begins where the other one left off, should it ever get it back.
    if (this.#lock === lock) this.#position = last.position;
    this.#traces.arrived();
    relayedEvents.inc({ service: this.#database.service }, events.length);
  }

  async #publishState(events: readonly RecordedEvent[], position: number): Promise<void> {
    for (const feed of this.#feeds) {
      const touched = await this.#traces.touchedBy(feed, events);
      await this.#tell(feed, [...touched.keys()], position, { traceparents: touched });
    }
  }

  async #tell(
    feed: StateFeed,
    all: readonly string[],
    position: number,
    { traceparents, only = (messages) => messages }: Telling,
  ): Promise<void> {
    for (let start = 0; start < all.length; start += STATE_CHUNK) {
      const keys = all.slice(start, start + STATE_CHUNK);
      const state = await feed.load(keys);
      const messages = keys.map((key) =>
        toStateMessage(key, state.get(key), position, traceparents?.get(key)),
      );
      const chosen = only(messages);
      if (chosen.length > 0) await this.#bus.publish(feed.topic, chosen);
    }
  }

  /** Where the relay before this one stopped. */
  async #begin(): Promise<number> {
    const told = await this.#checkpointOf(SET_BACK);
    this.#setBack = false;
    if (told !== undefined) this.#sayItIsSetBack(told);
    return (await this.#checkpointOf(CONSUMER)) ?? 0;
  }

  async #checkpointOf(consumer: string): Promise<number | undefined> {
    const { rows } = await this.#database.pool.query<{ position: number }>(
      'select position from checkpoint where consumer = $1',
      [consumer],
    );
    return rows[0]?.position;
  }

  async #moveCheckpoint(consumer: string, position: number): Promise<void> {
    await this.#database.pool.query(
      `insert into checkpoint (consumer, position) values ($1, $2)
       on conflict (consumer) do update set position = greatest(checkpoint.position, excluded.position)`,
      [consumer, position],
    );
  }

  /** The connection that holds the lock; undefined while another process does. */
  async #takeLock(): Promise<PoolClient | undefined> {
    if (this.#lock !== undefined) return this.#lock;
    const client = await this.#database.pool.connect();
    try {
      const { rows } = await client.query<{ locked: boolean }>(
        'select pg_try_advisory_lock(hashtext($1)) as locked',
        [this.name],
      );
      if (rows[0]?.locked !== true) {
        client.release();
        return undefined;
      }
    } catch (error) {
      client.release(true);
      throw error;
    }
    // The lock lives as long as its connection: when that breaks, somebody else may already be relaying.
    client.on('error', () => {
      if (this.#lock === client) this.#standBack();
    });
    this.#lock = client;
    return client;
  }
}

function toStateMessage(
  key: string,
  value: unknown,
  position: number,
  traceparent: string | undefined,
): OutgoingMessage {
  return {
    key,
    value: value === undefined ? null : Buffer.from(JSON.stringify(value)),
    headers: {
      'content-type': 'application/json',
      position: String(position),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}
