import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import type { Logger } from '../../log/logger.ts';
import type { BusTiming } from '../bus-timing.ts';
import type { HighMarks } from './high-marks.ts';
import type { MessageLog, PartitionEnd } from './message-log.ts';
import { backoffMs, sleepUnless } from '../patience.ts';
import { outOfRangeAlarm, startingPoint } from '../starting-point.ts';
import { handOver, type HandoverDeps } from '../state-handover.ts';

export interface ReaderDeps {
  readonly topic: TopicDefinition;
  readonly messages: MessageLog;
  readonly marks: HighMarks;
  readonly handle: (message: IncomingMessage) => void | Promise<void>;
  readonly timing: BusTiming;
  readonly log: Logger;
  readonly onAlarm: (alarm: string) => void;
  readonly onStopped: () => void;
}

/** Reads a whole topic from the oldest message on and follows it, for itself alone. */
export class LogStateReader implements StateReader {
  readonly caughtUp: Promise<void>;
  readonly lost: Promise<string>;
  readonly #deps: ReaderDeps;
  readonly #stopping = new AbortController();
  readonly #next = new Map<number, number>();
  readonly #finished: Promise<void>;
  readonly #handover: HandoverDeps;
  #barrier: Map<number, number>;
  #stalledOn: string | undefined;
  #reachBarrier!: () => void;
  #lose!: (why: string) => void;
  #placeInDoubt = false;

  /** `ends` is how far the topic reached when the reader was asked for: the barrier. */
  constructor(deps: ReaderDeps, ends: readonly PartitionEnd[]) {
    this.#deps = deps;
    this.#handover = {
      ...deps,
      onStall: (where) => {
        this.#stalledOn = where;
      },
    };
    this.#barrier = new Map(ends.map((end) => [end.partition, end.next]));
    for (let partition = 0; partition < deps.topic.partitions; partition += 1) {
      this.#next.set(partition, 0);
    }
    this.caughtUp = new Promise((resolve) => {
      this.#reachBarrier = resolve;
    });
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#finished = this.#run();
  }

  /** Set while a message is refused by the handler again and again: state is never skipped over. */
  get stalledOn(): string | undefined {
    return this.#stalledOn;
  }

  /** The server may be another one by now, restored to an earlier time. */
  doubtPlace(): void {
    this.#placeInDoubt = true;
    this.#deps.marks.wake(this.#deps.topic.name);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#finished;
    this.#deps.onStopped();
  }

  async #run(): Promise<void> {
    const { topic, marks } = this.#deps;
    const { signal } = this.#stopping;
    this.#checkBarrier();
    while (!signal.aborted) {
      await marks.until(topic.name, signal, () => this.#hasWork());
      if (signal.aborted) return;
      await this.#patiently(() => this.#step());
      this.#checkBarrier();
    }
  }

  #hasWork(): boolean {
    return this.#placeInDoubt || this.#behind().length > 0;
  }

  async #step(): Promise<void> {
    if (this.#placeInDoubt) {
      await this.#checkPlace();
      this.#placeInDoubt = false;
    }
    if (!this.#stopping.signal.aborted) await this.#readPage();
  }

  /** Before anything is read on: what is not there any more cannot be told. */
  async #checkPlace(): Promise<void> {
    const { topic, messages, onAlarm } = this.#deps;
    const stood = new Map(this.#next);
    for (const range of await messages.ranges(topic.name)) {
      const next = stood.get(range.partition);
      // It has not begun: the oldest that is left is where it begins.
      if (next === undefined || next === 0) continue;
      const point = startingPoint(next, range, 'earliest');
      if (point.outOfRange === undefined) continue;
      const place = `${topic.name}/${range.partition}`;
      const why = outOfRangeAlarm('a reader of state', place, range, point);
      onAlarm(why);
      this.#stopping.abort();
      this.#lose(why);
      return;
    }
  }

  #behind(): { partition: number; next: number; mark: number }[] {
    const { topic, marks } = this.#deps;
    return [...this.#next]
      .map(([partition, next]) => ({ partition, next, mark: marks.of(topic.name, partition) }))
      .filter(({ next, mark }) => next < mark);
  }

  async #readPage(): Promise<void> {
    const { topic, messages } = this.#deps;
    const behind = this.#behind();
    const page = await messages.read(topic.name, behind);
    const seen = new Set<number>();
    // Compaction leaves holes too, so this alone says nothing yet.
    if (page.some(({ partition, offset }) => this.#isBeyondHole(partition, offset, seen))) {
      await this.#checkPlace();
      if (this.#stopping.signal.aborted) return;
    }
    seen.clear();
    for (const message of page) {
      if (this.#stopping.signal.aborted) return;
      if (!(await handOver(message, this.#stopping.signal, this.#handover))) return;
      this.#next.set(message.partition, message.offset + 1);
      seen.add(message.partition);
    }
    // Offsets that compaction has emptied: what was below the mark before we read is not going to appear.
    for (const { partition, mark } of behind) {
      if (!seen.has(partition)) this.#next.set(partition, mark);
    }
  }

  #isBeyondHole(partition: number, offset: number, seen: Set<number>): boolean {
    if (seen.has(partition) || this.#barrier.size > 0) return false;
    seen.add(partition);
    return offset > (this.#next.get(partition) ?? 0);
  }

  #checkBarrier(): void {
    for (const [partition, end] of this.#barrier) {
      if ((this.#next.get(partition) ?? 0) < end) return;
    }
    this.#barrier = new Map();
    this.#reachBarrier();
  }

  async #patiently(work: () => Promise<void>): Promise<void> {
    const { topic, log, timing } = this.#deps;
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        log.warn(
          { err: error, topic: topic.name, attempt },
          'state was not read; it is tried again',
        );
        const wait = backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs);
        await sleepUnless(this.#stopping.signal, wait);
      }
    }
  }
}
