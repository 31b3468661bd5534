import { setTimeout as sleep } from 'node:timers/promises';
import { isBeat } from '@gatehouse/event-catalog';
import type {
  EventBus,
  IncomingMessage,
  OutgoingMessage,
  StateReader,
} from '@gatehouse/event-sourcing';
import type { Logger } from '../log/logger.ts';
import { positionOf } from './event-message.ts';
import type { StateFeed } from './outbox-relay.ts';

interface Watched {
  readonly feed: StateFeed;
  /** The newest position that was read of every key. */
  readonly newest: Map<string, number>;
  readonly astray: Set<string>;
  /** The highest position that was read of any key, legible or not, or of a beat. */
  highest: number;
  caughtUp: boolean;
}

const RETRY_MS = 1_000;

/**
 * Reads an owner's state topics as a gate would and names the keys whose last message is not their newest, or cannot be
 * read. Whoever follows the topic passes over what is older; but compaction keeps what came last, whatever its position,
 * and so would mislead a gate that starts later. (A replay does this, a relay that others had taken for dead, a foreigner.)
 * What happened while no owner ran is seen as long as compaction has not been there first: on Kafka that is ten minutes.
 */
export class StateWatch {
  readonly #bus: EventBus;
  readonly #log: Logger;
  readonly #onCaughtUp: () => void;
  readonly #watched: readonly Watched[];
  readonly #readers = new Map<Watched, StateReader>();
  readonly #stopping = new AbortController();

  /** `onCaughtUp` is called after each topic that was read to its end. */
  constructor(bus: EventBus, feeds: readonly StateFeed[], log: Logger, onCaughtUp: () => void) {
    this.#bus = bus;
    this.#onCaughtUp = onCaughtUp;
    this.#log = log;
    this.#watched = feeds.map((feed) => ({
      feed,
      newest: new Map(),
      astray: new Set(),
      highest: 0,
      caughtUp: false,
    }));
  }

  /** Whether all that was in the topics at the start has been read. */
  get caughtUp(): boolean {
    return this.#watched.every((watched) => watched.caughtUp);
  }

  /** The highest position that the topics speak of. */
  get highest(): number {
    return Math.max(0, ...this.#watched.map((watched) => watched.highest));
  }

  /** Where it fails it can be called again: nothing of the attempt is left. */
  async start(): Promise<void> {
    const begun = await Promise.allSettled(this.#watched.map((watched) => this.#follow(watched)));
    const failed = begun.find((each) => each.status === 'rejected');
    if (failed === undefined) return;
    await this.#stopReaders();
    throw failed.reason;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopReaders();
  }

  /** Those of an owner's own words that can be read. To say the others again would not mend them, and would never end. */
  legible(feed: StateFeed, messages: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
    const legible = messages.filter(({ key, value }) => isLegible(feed, key ?? '', value));
    const illegible = messages.length - legible.length;
    const topic = feed.topic.name;
    if (illegible > 0)
      this.#log.error({ topic, keys: illegible }, 'state is illegible as its owner has it');
    return legible;
  }

  /** What `publish` is asked to say again is told as it is at `position`; what it rejects is asked for again next time. */
  async setRight(
    position: number,
    publish: (feed: StateFeed, keys: readonly string[]) => Promise<void>,
  ): Promise<void> {
    for (const { feed, newest, astray } of this.#watched) {
      const keys = [...astray];
      if (keys.length === 0) continue;
      const topic = feed.topic.name;
      this.#log.warn({ topic, keys: keys.length }, 'state that had gone astray is told again');
      // Before it is told: what goes astray meanwhile is another matter.
      astray.clear();
      for (const key of keys) newest.set(key, position);
      try {
        await publish(feed, keys);
      } catch (error) {
        for (const key of keys) astray.add(key);
        throw error;
      }
    }
  }

  async #stopReaders(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    await Promise.all(readers.map((reader) => reader.stop()));
  }

  async #follow(watched: Watched): Promise<void> {
    // What was read before says nothing of a topic that is read anew.
    watched.newest.clear();
    watched.astray.clear();
    watched.highest = 0;
    watched.caughtUp = false;
    const reader = await this.#bus.readAll(watched.feed.topic, (message) =>
      this.#look(watched, message),
    );
    if (this.#stopping.signal.aborted) return reader.stop();
    this.#readers.set(watched, reader);
    void reader.caughtUp.then(() => {
      if (this.#readers.get(watched) !== reader) return;
      watched.caughtUp = true;
      this.#onCaughtUp();
    });
    void reader.lost.then(() => this.#followAnew(watched, reader));
  }

  async #followAnew(watched: Watched, lost: StateReader): Promise<void> {
    watched.caughtUp = false;
    await lost.stop();
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.#follow(watched);
      } catch (error) {
        this.#log.warn({ err: error }, 'the state topics cannot be watched yet');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #look(watched: Watched, message: IncomingMessage): void {
    const { newest, astray } = watched;
    const { key } = message;
    const position = readPosition(message);
    watched.highest = Math.max(watched.highest, position ?? 0);
    if (key === null || isBeat(message)) return;
    const isNewest = position !== undefined && position >= (newest.get(key) ?? -1);
    if (!isNewest || !isLegible(watched.feed, key, message.value)) {
      astray.add(key);
      return;
    }
    newest.set(key, position);
    astray.delete(key);
  }
}

function readPosition(message: IncomingMessage): number | undefined {
  try {
    return positionOf(message);
  } catch {
    return undefined;
  }
}

function isLegible(feed: StateFeed, key: string, value: Buffer | null): boolean {
  try {
    feed.check(key, value);
    return true;
  } catch {
    return false;
  }
}
