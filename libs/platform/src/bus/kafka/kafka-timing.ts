import { defaultTiming, type BusTiming } from '../bus-timing.ts';

/** How patient the bus is with Kafka. `pollMs` is how long a broker may hold back an empty answer, `leaseMs` the session timeout. */
export interface KafkaTiming extends BusTiming {
  /** A handler that takes longer no longer holds up the other partitions. */
  readonly handOverMs: number;
  /** How long a group waits for a member that is still handling before it goes on without it. */
  readonly rebalanceMs: number;
  /** After which a request without an answer has failed. */
  readonly requestMs: number;
  /** How long `subscribe` waits for its share; others may have to finish a batch first. */
  readonly joinPatienceMs: number;
  /** Between the crash of a client and the start of the next one. */
  readonly restartMs: number;
  /** A partition with messages waiting that has not moved for this long gets a new client. */
  readonly stuckMs: number;
  /** A batch that is in hand for this long is told of as an alarm, and again each time as much has passed. */
  readonly busyAlarmMs: number;
}

export const defaultKafkaTiming: KafkaTiming = {
  ...defaultTiming,
  handOverMs: 50,
  rebalanceMs: 60_000,
  requestMs: 10_000,
  joinPatienceMs: 3_000,
  restartMs: 300,
  stuckMs: 30_000,
  busyAlarmMs: 5 * 60_000,
};
