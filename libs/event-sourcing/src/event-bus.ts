import type { TopicDefinition } from '@gatehouse/event-catalog';

/** A message on its way out. A null value on a compacted topic is a tombstone. Headers are UTF-8 text. */
export interface OutgoingMessage {
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message as it arrived; `offset` is gapless or not by adapter, but always rises within a partition. */
export interface IncomingMessage extends OutgoingMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Messages of one partition, in order. */
export interface MessageBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly IncomingMessage[];
}

/** What a group subscribes to, where a new group begins, and who handles a batch. */
export interface SubscribeOptions {
  /** Members of a group share the partitions; groups are independent. */
  readonly group: string;
  readonly topics: readonly TopicDefinition[];
  /** Where a partition starts that the group never committed: oldest (default) or newest. */
  readonly from?: 'earliest' | 'latest';
  /** Asked on assignment; an offset given here wins over what the group committed. For consumers that keep their cursor with their data. */
  startAt?(topic: string, partition: number): Promise<number | undefined>;
  /**
   * Applies a batch. At least once: a batch, or its tail, may come again after a crash. Throw a PoisonMessage to say
   * that one message can never be applied; anything else thrown is taken as transient and retried without end.
   */
  handle(batch: MessageBatch): Promise<void>;
}

/** A running subscription. `stop` finishes the batch in hand, commits, leaves; nothing is handled after it resolves. */
export interface Subscription {
  stop(): Promise<void>;
  /** Set while a partition of a security topic stands still on a message that cannot be applied. */
  readonly stalledOn: string | undefined;
  /** How many offsets wait to be dealt with, as far as is known; undefined until all partitions of all its topics are with this member and settled. */
  readonly waiting: number | undefined;
}

/** The newest value of every key of a compacted topic, kept current. */
export interface StateReader {
  /** Resolves once everything that was there at the start has been handed over: the readiness barrier. */
  readonly caughtUp: Promise<void>;
  /**
   * Resolves, with the reason, when the place where it stood is not there any more: the topic was made anew, restored, or
   * cut off below. What was removed meanwhile cannot be told, so it hands over nothing more: all must be read anew.
   */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

/** Whether the bus can be used, and why not. */
export interface BusHealth {
  readonly healthy: boolean;
  readonly detail: string;
}

/** How services hear of each other: at least once, in order per key. */
export interface EventBus {
  /** Resolves when every message is durable; rejects otherwise, and then none, some or all may be there. Typed MessageTooLarge above 1 MiB of value. */
  publish(topic: TopicDefinition, messages: readonly OutgoingMessage[]): Promise<void>;
  /** Resolves once the subscription has its share and has settled where it begins, or after a few seconds without: a share that others still hold comes later by itself. */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Hands over every message of a compacted topic from the oldest on, then follows; no group, no commits: every reader gets all. */
  readAll(
    topic: TopicDefinition,
    handle: (message: IncomingMessage) => void | Promise<void>,
  ): Promise<StateReader>;
  /** The partition of a key, by murmur2 as the Java client has it. */
  partitionOf(topic: TopicDefinition, key: string): number;
  health(): Promise<BusHealth>;
  close(): Promise<void>;
}

/** This message can never be applied. Parked in the dead-letter topic after three attempts; on a security topic the partition stops and alarms instead. */
export class PoisonMessage extends Error {
  readonly offset: number;

  constructor(message: IncomingMessage, reason: string, options?: { cause?: unknown }) {
    super(`${message.topic}/${message.partition}@${message.offset}: ${reason}`, options);
    this.name = 'PoisonMessage';
    this.offset = message.offset;
  }
}

/** A value above 1 MiB: it would not pass a broker with default limits. */
export class MessageTooLarge extends Error {
  constructor(topic: string, bytes: number) {
    super(`a message of ${bytes} bytes is too large for ${topic}`);
    this.name = 'MessageTooLarge';
  }
}
