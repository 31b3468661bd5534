import type { SubscribeOptions } from '@gatehouse/event-sourcing';
import type { Logger } from '../../log/logger.ts';
import type { BusTiming } from '../bus-timing.ts';
import type { Delivery } from '../delivery.ts';
import type { GroupLedger, Lease } from './group-ledger.ts';
import type { HighMarks } from './high-marks.ts';
import type { MessageLog } from './message-log.ts';
import { backoffMs, sleepUnless } from '../patience.ts';
import { outOfRangeAlarm, startingPoint } from '../starting-point.ts';

const LAST_COMMIT_ATTEMPTS = 5;

export interface PumpDeps {
  readonly lease: Lease;
  readonly ledger: GroupLedger;
  readonly messages: MessageLog;
  readonly marks: HighMarks;
  readonly delivery: Delivery;
  readonly options: Pick<SubscribeOptions, 'from' | 'startAt'>;
  readonly timing: BusTiming;
  readonly log: Logger;
  readonly onAlarm: (alarm: string) => void;
}

/** Carries one leased partition to its handler: one batch in hand, its end committed before the next is fetched. */
export class PartitionPump {
  readonly lease: Lease;
  readonly finished: Promise<void>;
  readonly #deps: PumpDeps;
  readonly #stopping = new AbortController();
  #next: number | undefined;
  #started!: () => void;
  /** Resolves when the place to start from is settled, so that nothing published from now on is missed. */
  readonly started: Promise<void>;

  constructor(deps: PumpDeps) {
    this.#deps = deps;
    this.lease = deps.lease;
    this.started = new Promise((resolve) => {
      this.#started = resolve;
    });
    this.finished = this.#run().catch((error: unknown) => {
      deps.log.error({ err: error, ...deps.lease }, 'a partition was dropped');
    });
  }

  /** How many offsets are left, as far as this process knows; nothing before it has begun. */
  get lag(): number | undefined {
    const { topic, partition } = this.lease;
    if (this.#next === undefined) return undefined;
    return Math.max(0, this.#deps.marks.of(topic, partition) - this.#next);
  }

  /** Finishes the batch in hand and commits it; a batch that keeps failing is left to the next owner. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.finished;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let next = await this.#patiently(() => this.#begin());
    this.#started();
    while (next !== undefined && !signal.aborted) {
      this.#next = next;
      next = await this.#step(next);
    }
  }

  async #step(next: number): Promise<number | undefined> {
    const { lease, marks, messages, delivery } = this.#deps;
    const { signal } = this.#stopping;
    await marks.until(lease.topic, signal, () => marks.of(lease.topic, lease.partition) > next);
    if (signal.aborted) return undefined;
    const mark = marks.of(lease.topic, lease.partition);
    const batch = await this.#patiently(() =>
      messages.read(lease.topic, [{ partition: lease.partition, next }]),
    );
    if (batch === undefined) return undefined;
    // Offsets that compaction has emptied: what was below the mark before we read is not going to appear.
    if (batch.length === 0) return mark;
    let reached = next;
    await delivery.deliver(batch, signal, async (upTo) => {
      await this.#commit(upTo);
      reached = upTo;
      this.#next = upTo;
    });
    return reached;
  }

  async #begin(): Promise<number> {
    const { lease, ledger, options, onAlarm } = this.#deps;
    const point = await ledger.startingPoint(lease);
    const own = await options.startAt?.(lease.topic, lease.partition);
    const range = { low: point.low, next: point.next };
    const begin = startingPoint(own ?? point.committed, range, options.from);
    const { start, outOfRange } = begin;
    if (outOfRange !== undefined) {
      const place = `${lease.topic}/${lease.partition}`;
      onAlarm(outOfRangeAlarm(ledger.group, place, range, begin));
    }
    // Kept at once, or a group that starts at the newest would skip what comes while it is away before its first commit.
    if (start !== point.committed) await this.#commit(start);
    return start;
  }

  async #commit(next: number): Promise<void> {
    const { lease, ledger, log, timing } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (!(await ledger.commit(lease, next))) this.#stopping.abort();
        return;
      } catch (error) {
        const { topic, partition } = lease;
        log.warn({ err: error, topic, partition, group: ledger.group }, 'a commit failed');
        const wait = backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs);
        const slept = await sleepUnless(this.#stopping.signal, wait);
        if (!slept && attempt >= LAST_COMMIT_ATTEMPTS) return;
      }
    }
  }

  /** Tries a read until it succeeds; nothing when stopped meanwhile. */
  async #patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { lease, ledger, log, timing } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const { topic, partition } = lease;
        log.warn({ err: error, topic, partition, group: ledger.group }, 'the bus cannot be read');
        const wait = backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs);
        if (!(await sleepUnless(this.#stopping.signal, wait))) return undefined;
      }
    }
  }
}
