import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import type { Logger } from '../../log/logger.ts';
import type { BusTiming } from '../bus-timing.ts';
import type { HighMarks } from './high-marks.ts';
import type { MessageLog, PartitionEnd } from './message-log.ts';
import { backoffMs, sleepUnless } from '../patience.ts';
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
  readonly #deps: ReaderDeps;
  readonly #stopping = new AbortController();
  readonly #next = new Map<number, number>();
  readonly #finished: Promise<void>;
  readonly #handover: HandoverDeps;
  #barrier: Map<number, number>;
  #stalledOn: string | undefined;
  #reachBarrier!: () => void;

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
    this.#finished = this.#run();
  }

  /** Set while a message is refused by the handler again and again: state is never skipped over. */
  get stalledOn(): string | undefined {
    return this.#stalledOn;
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
      await marks.until(topic.name, signal, () => this.#behind().length > 0);
      if (signal.aborted) return;
      await this.#patiently(() => this.#readPage());
      this.#checkBarrier();
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
