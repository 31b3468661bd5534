import type { EventBus, SubscribeOptions, Subscription } from '@gatehouse/event-sourcing';
import type { Logger } from '../../log/logger.ts';
import { announceGroup, consumerLag } from '../bus-metrics.ts';
import type { BusTiming } from '../bus-timing.ts';
import { lagOfAll, lagReadings } from '../lag-readings.ts';
import { Delivery } from '../delivery.ts';
import type { GroupLedger, Lease } from './group-ledger.ts';
import type { HighMarks } from './high-marks.ts';
import type { Session } from './listener.ts';
import type { MessageLog } from './message-log.ts';
import { PartitionPump } from './partition-pump.ts';

export interface MemberDeps {
  readonly ledger: GroupLedger;
  readonly messages: MessageLog;
  readonly marks: HighMarks;
  readonly bus: Pick<EventBus, 'publish' | 'readAll'>;
  readonly options: SubscribeOptions;
  readonly timing: BusTiming;
  readonly log: Logger;
  readonly session: () => Session | undefined;
  readonly onAlarm: (alarm: string) => void;
  readonly onStopped: () => void;
}

// A predecessor that was killed a moment ago is seen to be dead a moment later.
const SECOND_BEAT_MS = 200;

const placeOf = ({ topic, partition }: Lease): string => `${topic}/${partition}`;

/** One member of a group: keeps itself alive beside its handlers, and runs a pump for every partition that is its share. */
export class GroupMember implements Subscription {
  readonly #deps: MemberDeps;
  readonly #pumps = new Map<string, PartitionPump>();
  readonly #stalls = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #second: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #beatAgain = false;
  #stopping: Promise<void> | undefined;
  #left = false;
  #stopShowing: (() => void) | undefined;

  constructor(deps: MemberDeps) {
    this.#deps = deps;
  }

  get group(): string {
    return this.#deps.ledger.group;
  }

  get stalledOn(): string | undefined {
    return this.#stalls.size === 0 ? undefined : [...this.#stalls.values()].join('; ');
  }

  get waiting(): number | undefined {
    return lagOfAll(this.#deps.options.topics, this.#lags);
  }

  get #lags(): (readonly [topic: string, lag: number | undefined])[] {
    return [...this.#pumps.values()].map(({ lease, lag }) => [lease.topic, lag]);
  }

  /** Joins, and waits until the partitions at hand have settled where they start. */
  async start(): Promise<void> {
    announceGroup(this.group, this.#deps.options.topics);
    this.#stopShowing = consumerLag.read(() => lagReadings(this.group, this.#lags));
    this.#timer = setInterval(() => this.kick(), this.#deps.timing.heartbeatMs);
    this.#second = setTimeout(() => this.kick(), SECOND_BEAT_MS);
    await this.#beatOnce();
    await Promise.all([...this.#pumps.values()].map((pump) => pump.started));
  }

  /** Shows that it lives and learns of changes at once. */
  kick(): void {
    if (this.#left) return;
    if (this.#beating !== undefined) {
      this.#beatAgain = true;
      return;
    }
    this.#beatOnce().catch((error: unknown) => {
      this.#deps.log.warn({ err: error, group: this.group }, 'a heartbeat failed');
    });
  }

  /** One beat at a time: an answer that is overtaken would tell of leases as they were. */
  async #beatOnce(): Promise<void> {
    const beat = this.#beat();
    this.#beating = beat.catch(() => undefined);
    try {
      await beat;
    } finally {
      this.#beating = undefined;
      if (this.#beatAgain) {
        this.#beatAgain = false;
        this.kick();
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    // Beats go on until the last handler is through: a slow one must not lose its lease to a second run elsewhere.
    await Promise.all([...this.#pumps.values()].map((pump) => pump.stop()));
    this.#left = true;
    this.#stopShowing?.();
    clearInterval(this.#timer);
    clearTimeout(this.#second);
    while (this.#beating !== undefined) await this.#beating;
    await this.#deps.ledger.leave().catch((error: unknown) => {
      this.#deps.log.warn({ err: error, group: this.group }, 'left without saying so');
    });
    this.#deps.onStopped();
  }

  async #beat(): Promise<void> {
    const { ledger, options, timing, session } = this.#deps;
    const leases = await ledger.beat(options.topics, timing.leaseMs, session());
    if (this.#stopping === undefined) this.#reconcile(leases);
  }

  #reconcile(leases: readonly Lease[]): void {
    const held = new Map(leases.map((lease) => [placeOf(lease), lease]));
    for (const [place, pump] of this.#pumps) {
      const lease = held.get(place);
      const isOurs = lease !== undefined && lease.epoch === pump.lease.epoch;
      if (!isOurs || !lease.keep) void pump.stop();
    }
    for (const lease of leases) {
      if (this.#pumps.has(placeOf(lease))) continue;
      if (lease.keep) this.#startPump(lease);
      else void this.#letGo(lease);
    }
  }

  #startPump(lease: Lease): void {
    const pump = new PartitionPump({
      ...this.#deps,
      lease,
      delivery: this.#deliveryOf(lease),
    });
    this.#pumps.set(placeOf(lease), pump);
    void pump.finished.then(() => {
      this.#pumps.delete(placeOf(lease));
      // A pump ends when told to, or when fenced: the next beat says whose the partition is now.
      if (this.#stopping === undefined) this.kick();
    });
  }

  #deliveryOf(lease: Lease): Delivery {
    const { options, bus, log, timing, onAlarm } = this.#deps;
    const topic = options.topics.find((candidate) => candidate.name === lease.topic)!;
    return new Delivery({
      topic,
      group: options.group,
      handle: (batch) => options.handle(batch),
      bus,
      log,
      timing,
      onStall: (where) => {
        if (where === undefined) {
          this.#stalls.delete(placeOf(lease));
          return;
        }
        this.#stalls.set(placeOf(lease), where);
        onAlarm(`${options.group} stands still on ${where}`);
      },
    });
  }

  async #letGo(lease: Lease): Promise<void> {
    await this.#deps.ledger.letGo(lease).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, group: this.group }, 'a partition was not let go yet');
    });
  }
}
