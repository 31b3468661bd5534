import { randomUUID } from 'node:crypto';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import type {
  BusHealth,
  EventBus,
  IncomingMessage,
  OutgoingMessage,
  StateReader,
  SubscribeOptions,
  Subscription,
} from '@gatehouse/event-sourcing';
import type { Pool } from 'pg';
import type { Logger } from '../../log/logger.ts';
import { measuredPublish } from '../bus-metrics.ts';
import { defaultTiming, type BusTiming } from '../bus-timing.ts';
import { GroupLedger } from './group-ledger.ts';
import { GroupMember } from './group-member.ts';
import { HighMarks } from './high-marks.ts';
import { Listener } from './listener.ts';
import { LogStateReader } from './log-state-reader.ts';
import { MessageLog, type PartitionEnd } from './message-log.ts';
import { partitionOfKey } from '../murmur2.ts';
import { OutgoingQueue } from './outgoing-queue.ts';
import { prunePeriodically, type Retention } from './retention.ts';

export interface PostgresEventBusOptions {
  /** Shared with others and not closed here; the bus takes one connection of its own beside it. */
  readonly pool: Pool;
  readonly log: Logger;
  /** Told of what a person should look at: a partition that stands still, an offset out of range. Logged in any case. */
  readonly onAlarm?: (alarm: string) => void;
  readonly timing?: Partial<BusTiming>;
  readonly retention?: Retention;
}

/** The bus of the standalone process: a partitioned log in PostgreSQL with consumer groups, as Kafka has them. */
export class PostgresEventBus implements EventBus {
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #timing: BusTiming;
  readonly #onAlarm: (alarm: string) => void;
  readonly #messages: MessageLog;
  readonly #marks = new HighMarks();
  readonly #outgoing: OutgoingQueue;
  readonly #listener: Listener;
  readonly #members = new Set<GroupMember>();
  readonly #readers = new Set<LogStateReader>();
  readonly #followed = new Set<string>();
  readonly #stopPruning: () => Promise<void>;
  #listening: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #closed = false;

  constructor({ pool, log, onAlarm, timing, retention = {} }: PostgresEventBusOptions) {
    this.#pool = pool;
    this.#log = log;
    this.#timing = { ...defaultTiming, ...timing };
    this.#onAlarm = (alarm) => {
      log.error({ alarm: true }, alarm);
      onAlarm?.(alarm);
    };
    this.#messages = new MessageLog(pool);
    this.#stopPruning = prunePeriodically(pool, retention, log);
    this.#outgoing = new OutgoingQueue(this.#messages, (ends) => this.#appended(ends));
    this.#listener = new Listener({
      pool,
      log,
      id: randomUUID(),
      events: {
        onMessages: () => this.#look(),
        onGroup: (group) => this.#rebalance(group),
        onConnected: () => {
          this.#marks.forget();
          for (const reader of this.#readers) reader.doubtPlace();
          this.#look();
          this.#rebalance();
        },
      },
    });
  }

  async publish(topic: TopicDefinition, messages: readonly OutgoingMessage[]): Promise<void> {
    this.#refuseWhenClosed();
    // A bus that only publishes needs its connection too: to tell the others.
    this.#listening ??= this.#listener.start();
    await measuredPublish(topic.name, messages, () => this.#outgoing.publish(topic, messages));
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    await this.#follow(options.topics);
    const member = new GroupMember({
      ledger: new GroupLedger(this.#pool, options.group, randomUUID()),
      messages: this.#messages,
      marks: this.#marks,
      bus: this,
      options,
      timing: this.#timing,
      log: this.#log,
      session: () => this.#listener.session,
      onAlarm: this.#onAlarm,
      onStopped: () => this.#members.delete(member),
    });
    this.#members.add(member);
    try {
      await member.start();
    } catch (error) {
      await member.stop();
      throw error;
    }
    return member;
  }

  async readAll(
    topic: TopicDefinition,
    handle: (message: IncomingMessage) => void | Promise<void>,
  ): Promise<StateReader> {
    const ends = await this.#follow([topic]);
    const reader: LogStateReader = new LogStateReader(
      {
        topic,
        messages: this.#messages,
        marks: this.#marks,
        handle,
        timing: this.#timing,
        log: this.#log,
        onAlarm: this.#onAlarm,
        onStopped: () => this.#readers.delete(reader),
      },
      ends,
    );
    this.#readers.add(reader);
    return reader;
  }

  partitionOf(topic: TopicDefinition, key: string): number {
    return partitionOfKey(key, topic.partitions);
  }

  async health(): Promise<BusHealth> {
    const running = [...this.#members, ...this.#readers];
    const stalls = running.flatMap((one) => one.stalledOn ?? []);
    if (stalls.length > 0)
      return { healthy: false, detail: `stands still on ${stalls.join('; ')}` };
    try {
      await this.#pool.query('select 1');
    } catch (error) {
      return {
        healthy: false,
        detail: `the database does not answer: ${(error as Error).message}`,
      };
    }
    const way = this.#listener.session === undefined ? 'polling' : 'listening';
    return { healthy: true, detail: `${way}, ${this.#members.size} subscriptions` };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#members, ...this.#readers].map((running) => running.stop()));
    await this.#outgoing.idle();
    await this.#stopPruning();
    clearInterval(this.#poll);
    await this.#listening;
    await this.#listener.close();
    while (this.#looking !== undefined) await this.#looking;
  }

  /** Watches the topics from now on; answers how far they reach. */
  async #follow(topics: readonly TopicDefinition[]): Promise<PartitionEnd[]> {
    this.#refuseWhenClosed();
    this.#listening ??= this.#listener.start();
    await this.#listening;
    this.#poll ??= setInterval(() => this.#look(), this.#timing.pollMs);
    await this.#messages.prepare(topics);
    for (const topic of topics) this.#followed.add(topic.name);
    const ends = await this.#messages.ends(topics.map((topic) => topic.name));
    this.#marks.raise(ends);
    return ends;
  }

  #appended(ends: readonly PartitionEnd[]): void {
    this.#marks.raise(ends);
    this.#listener.announce();
  }

  /** Looks how far the followed topics reach; calls that come meanwhile are answered by one more look. */
  #look(): void {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#messages
      .ends([...this.#followed])
      .then((ends) => this.#marks.raise(ends))
      .catch((error: unknown) => this.#log.debug({ err: error }, 'the bus could not look'))
      .finally(() => {
        this.#looking = undefined;
        if (!this.#lookAgain || this.#closed) return;
        this.#lookAgain = false;
        this.#look();
      });
  }

  #rebalance(group?: string): void {
    for (const member of this.#members) {
      if (group === undefined || member.group === group) member.kick();
    }
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Error('the bus is closed');
  }
}
