import { randomUUID } from 'node:crypto';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import { backoffMs, sleepUnless } from '../patience.ts';
import { handOver } from '../state-handover.ts';
import { outOfRangeAlarm, startingPoint } from '../starting-point.ts';
import type { KafkaReaderDeps } from './group-subscription.ts';
import type { PartitionRange } from './kafka-offsets.ts';
import type { Beginning, PartitionWork } from './partition-claim.ts';
import { SupervisedConsumer } from './supervised-consumer.ts';

/** Reads a whole topic from the oldest message on and follows it, in a group of its own that commits nothing. */
export class KafkaStateReader implements StateReader, PartitionWork {
  readonly commits = false;
  readonly caughtUp: Promise<void>;
  readonly lost: Promise<string>;
  readonly #topic: TopicDefinition;
  readonly #handle: (message: IncomingMessage) => void | Promise<void>;
  readonly #deps: KafkaReaderDeps;
  readonly #stopping = new AbortController();
  readonly #next = new Map<number, number>();
  readonly #stalls = new Map<number, string>();
  readonly #measured: Promise<void>;
  #barrier: ReadonlyMap<number, number> | undefined;
  #consumer: SupervisedConsumer | undefined;
  #reachBarrier!: () => void;
  #lose!: (why: string) => void;

  constructor(
    topic: TopicDefinition,
    handle: (message: IncomingMessage) => void | Promise<void>,
    deps: KafkaReaderDeps,
  ) {
    this.#topic = topic;
    this.#handle = handle;
    this.#deps = deps;
    this.caughtUp = new Promise((resolve) => {
      this.#reachBarrier = resolve;
    });
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#measured = this.#measure();
  }

  get stalledOn(): string | undefined {
    return this.#stalls.size === 0 ? undefined : [...this.#stalls.values()].join('; ');
  }

  get isWell(): boolean {
    return this.#consumer?.isWell ?? false;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#measured;
    await this.#consumer?.stop();
    this.#deps.onStopped();
  }

  /** After a crash it goes on where it was: old state is not handed over again. */
  async begin(topic: string, partition: number): Promise<Beginning> {
    const range = (await this.#deps.offsets.rangesOf(topic)).find(
      (each) => each.partition === partition,
    );
    if (range === undefined) throw new Error(`${topic} has no partition ${partition}`);
    const point = startingPoint(this.#next.get(partition), range, 'earliest');
    const { start, outOfRange } = point;
    if (outOfRange !== undefined) {
      const place = `${topic}/${partition}`;
      throw this.#endAsLost(outOfRangeAlarm('a reader of state', place, range, point));
    }
    this.#reached(partition, start);
    return { start, committed: undefined, end: range.next };
  }

  async deliver(
    messages: readonly IncomingMessage[],
    signal: AbortSignal,
    done: (next: number) => Promise<void>,
  ): Promise<void> {
    await this.#checkPlace(messages[0], signal);
    for (const message of messages) {
      if (signal.aborted || this.#stopping.signal.aborted) return;
      const { partition, offset } = message;
      const isTaken = await handOver(message, signal, {
        ...this.#deps,
        handle: this.#handle,
        onStall: (where) => {
          if (where === undefined) this.#stalls.delete(partition);
          else this.#stalls.set(partition, where);
        },
      });
      if (!isTaken) return;
      this.#reached(partition, offset + 1);
      await done(offset + 1);
    }
  }

  /**
   * What follows is not always what comes next: compaction leaves holes, which is as it should be. But where the place is
   * not there any more, kafkajs goes on at the oldest message without a word.
   */
  async #checkPlace(first: IncomingMessage | undefined, signal: AbortSignal): Promise<void> {
    if (first === undefined) return;
    const { topic, partition, offset } = first;
    const expected = this.#next.get(partition);
    if (expected === undefined || offset === expected) return;
    const range = await this.#rangeOf(topic, partition, signal);
    if (signal.aborted) return;
    const isThere = range !== undefined && expected >= range.low && expected <= range.next;
    if (offset > expected && isThere) return;
    throw this.#endAsLost(
      `a reader of state stood at ${topic}/${partition}@${expected}, and was taken to ${offset}`,
    );
  }

  /** Asks until there is an answer: a partition that is dropped stands still for longer than a gate decides without it. */
  async #rangeOf(
    topic: string,
    partition: number,
    signal: AbortSignal,
  ): Promise<PartitionRange | undefined> {
    const { offsets, timing, log } = this.#deps;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const ranges = await offsets.rangesOf(topic);
        return ranges.find((range) => range.partition === partition);
      } catch (error) {
        log.warn({ err: error, topic, partition }, 'the place in a topic cannot be looked up yet');
        await sleepUnless(signal, backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs));
      }
    }
    return undefined;
  }

  #endAsLost(why: string): Error {
    if (!this.#stopping.signal.aborted) this.#deps.onAlarm(why);
    this.#stopping.abort();
    void this.#consumer?.stop();
    this.#lose(why);
    return new Error(why);
  }

  /** How far the topic reaches now is the barrier; only then does it begin to read. */
  async #measure(): Promise<void> {
    const { offsets, timing, log } = this.#deps;
    const { signal } = this.#stopping;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const ranges = await offsets.rangesOf(this.#topic.name);
        this.#barrier = new Map(ranges.map(({ partition, next }) => [partition, next]));
        this.#consumer = new SupervisedConsumer({
          ...this.#deps,
          group: `gatehouse.reader.${randomUUID()}`,
          topics: [this.#topic],
          work: this,
        });
        return;
      } catch (error) {
        log.warn({ err: error, topic: this.#topic.name }, 'state cannot be read yet');
        await sleepUnless(signal, backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs));
      }
    }
  }

  #reached(partition: number, next: number): void {
    this.#next.set(partition, next);
    const isThere = [...this.#barrier!].every(
      ([each, end]) => (this.#next.get(each) ?? 0) >= end && this.#next.has(each),
    );
    if (isThere) this.#reachBarrier();
  }
}
