import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { Logger } from '../../log/logger.ts';
import { backoffMs, sleepUnless } from '../patience.ts';
import type { KafkaTiming } from './kafka-timing.ts';

/** What is done with the messages of a partition; the same for every life of a consumer. */
export interface PartitionWork {
  /** Where to go on from. Asked on every assignment. */
  begin(topic: string, partition: number): Promise<Beginning>;
  /** Calls `done` with the offset to go on from after each part; an abort ends only the waiting. */
  deliver(
    messages: readonly IncomingMessage[],
    signal: AbortSignal,
    done: (next: number) => Promise<void>,
  ): Promise<void>;
  /** False for readers that keep no place with the broker. */
  readonly commits: boolean;
  /** Told of a hole in a topic that has none by nature. */
  onHole?(place: string, expected: number, found: number): void;
}

export interface Beginning {
  readonly start: number;
  /** What the group has committed. */
  readonly committed: number | undefined;
  /** The offset that comes next on the partition. */
  readonly end: number;
}

const MOST_AT_ONCE = 500;
const LAST_COMMIT_ATTEMPTS = 3;
const FENCED = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
]);

function toIncoming(topic: string, partition: number, message: KafkaMessage): IncomingMessage {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
    name,
    String(Array.isArray(value) ? value.at(-1) : value),
  ]);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key?.toString('utf8') ?? null,
    value: message.value,
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

/** One partition while it is ours: one batch in hand, its end committed before the next is taken. */
export class PartitionClaim {
  readonly topic: string;
  readonly partition: number;
  readonly #work: PartitionWork;
  readonly #timing: KafkaTiming;
  readonly #log: Logger;
  readonly #giving = new AbortController();
  #inHand: Promise<void> | undefined;
  #next: number | undefined;
  #end = 0;

  constructor(
    place: { topic: string; partition: number },
    work: PartitionWork,
    { timing, log }: { timing: KafkaTiming; log: Logger },
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.#work = work;
    this.#timing = timing;
    this.#log = log;
  }

  /** Where it goes on; unknown until settled. */
  get next(): number | undefined {
    return this.#next;
  }

  /** How many offsets are left, as far as is known; nothing until settled. */
  get lag(): number | undefined {
    return this.#next === undefined ? undefined : Math.max(0, this.#end - this.#next);
  }

  /** Notes how far the partition reaches. */
  sawEnd(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  get isBusy(): boolean {
    return this.#inHand !== undefined;
  }

  /** Finds out where to begin, and keeps it: or a group that starts at the newest would skip what comes while it is away. */
  async settle(
    commit: (next: number) => Promise<void>,
    seek: (next: number) => void,
  ): Promise<void> {
    const { signal } = this.#giving;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const { start, committed, end } = await this.#work.begin(this.topic, this.partition);
        this.sawEnd(end);
        if (signal.aborted) return;
        if (this.#work.commits && start !== committed) await commit(start);
        if (signal.aborted) return;
        seek(start);
        this.#next = start;
        return;
      } catch (error) {
        this.#log.warn({ err: error, ...this.#place }, 'a partition cannot be begun yet');
        const wait = backoffMs(attempt, this.#timing.retryFirstMs, this.#timing.retryCapMs);
        await sleepUnless(signal, wait);
      }
    }
  }

  /** Takes what kafkajs has fetched. Returns when it is through, or, with its partition paused, when it takes longer. */
  async take(payload: EachBatchPayload): Promise<void> {
    this.sawEnd(Number(payload.batch.highWatermark));
    const isOpen = this.#next !== undefined && !this.#giving.signal.aborted && !this.isBusy;
    if (!isOpen || !payload.isRunning() || payload.isStale()) {
      await sleep(this.#timing.handOverMs);
      return;
    }
    const calm = this.#alarmWhileBusy();
    const inHand = this.#deliver(payload).finally(() => {
      calm();
      this.#inHand = undefined;
    });
    this.#inHand = inHand;
    const patience = new AbortController();
    const isThrough = await Promise.race([
      inHand.then(() => true),
      sleep(this.#timing.handOverMs, false, { signal: patience.signal }).catch(() => false),
    ]);
    patience.abort();
    if (isThrough) return;
    const resume = payload.pause();
    void inHand.then(() => {
      if (!this.#giving.signal.aborted) resume();
    });
  }

  /** Finishes the batch in hand and commits it; what keeps failing is left to the next owner. */
  async giveUp(): Promise<void> {
    this.#giving.abort();
    await this.#inHand;
  }

  /** A handler that never returns looks like one that takes long, also to whoever waits to leave the group. */
  #alarmWhileBusy(): () => void {
    const since = performance.now();
    const alarm = setInterval(() => {
      const busyForMs = Math.round(performance.now() - since);
      this.#log.error(
        { ...this.#place, next: this.#next, busyForMs },
        'ALARM: a batch has been in hand for too long; its handler hangs or keeps failing',
      );
    }, this.#timing.busyAlarmMs);
    alarm.unref();
    return () => clearInterval(alarm);
  }

  get #place(): { topic: string; partition: number } {
    return { topic: this.topic, partition: this.partition };
  }

  async #deliver(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { signal } = this.#giving;
    const [first] = batch.messages;
    if (first !== undefined && Number(first.offset) > this.#next!) {
      const place = `${this.topic}/${this.partition}`;
      this.#work.onHole?.(place, this.#next!, Number(first.offset));
    }
    try {
      for (let i = 0; i < batch.messages.length && !signal.aborted; i += MOST_AT_ONCE) {
        const messages = batch.messages
          .slice(i, i + MOST_AT_ONCE)
          .map((message) => toIncoming(this.topic, this.partition, message));
        await this.#work.deliver(messages, signal, async (next) => {
          if (this.#work.commits && !(await this.#commit(next, payload))) {
            this.#giving.abort();
            return;
          }
          this.#next = next;
          payload.resolveOffset(String(next - 1));
        });
      }
    } catch (error) {
      this.#log.error({ err: error, ...this.#place }, 'a partition was dropped');
      this.#giving.abort();
    }
  }

  /** False when the partition is somebody else's by now, or the broker cannot be told. */
  async #commit(next: number, payload: EachBatchPayload): Promise<boolean> {
    const { topic, partition } = this;
    const offsets = { topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await payload.commitOffsetsIfNecessary(offsets);
        return true;
      } catch (error) {
        this.#log.info({ err: error, ...this.#place, next }, 'a commit failed');
        if (FENCED.has(String((error as { type?: unknown }).type))) return false;
        const wait = backoffMs(attempt, this.#timing.retryFirstMs, this.#timing.retryCapMs);
        const slept = await sleepUnless(this.#giving.signal, wait);
        if (!slept && attempt >= LAST_COMMIT_ATTEMPTS) return false;
      }
    }
  }
}
