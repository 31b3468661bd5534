import type { TopicDefinition } from '@gatehouse/event-catalog';
import type {
  EventBus,
  IncomingMessage,
  SubscribeOptions,
  Subscription,
} from '@gatehouse/event-sourcing';
import type { Logger } from '../../log/logger.ts';
import { announceGroup, consumerLag } from '../bus-metrics.ts';
import { Delivery } from '../delivery.ts';
import { lagOfAll, lagReadings } from '../lag-readings.ts';
import { outOfRangeAlarm, startingPoint } from '../starting-point.ts';
import type { KafkaConnection } from './kafka-client.ts';
import type { KafkaOffsets } from './kafka-offsets.ts';
import type { KafkaTiming } from './kafka-timing.ts';
import type { Beginning, PartitionWork } from './partition-claim.ts';
import { SupervisedConsumer } from './supervised-consumer.ts';

export interface KafkaReaderDeps {
  readonly connection: KafkaConnection;
  readonly offsets: KafkaOffsets;
  readonly timing: KafkaTiming;
  readonly log: Logger;
  readonly onAlarm: (alarm: string) => void;
  readonly onStopped: () => void;
}

export interface GroupDeps extends KafkaReaderDeps {
  readonly bus: Pick<EventBus, 'publish' | 'readAll'>;
}

/** A member of a group, with the rules of delivery that hold on every adapter. */
export class GroupSubscription implements Subscription, PartitionWork {
  readonly commits = true;
  readonly #options: SubscribeOptions;
  readonly #deps: GroupDeps;
  readonly #consumer: SupervisedConsumer;
  readonly #stalls = new Map<string, string>();
  readonly #stopShowing: () => void;

  constructor(options: SubscribeOptions, deps: GroupDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#consumer = new SupervisedConsumer({
      ...deps,
      group: options.group,
      topics: options.topics,
      work: this,
    });
    announceGroup(options.group, options.topics);
    this.#stopShowing = consumerLag.read(() => lagReadings(options.group, this.#consumer.lags));
  }

  get stalledOn(): string | undefined {
    return this.#stalls.size === 0 ? undefined : [...this.#stalls.values()].join('; ');
  }

  get waiting(): number | undefined {
    return lagOfAll(this.#options.topics, this.#consumer.lags);
  }

  get isWell(): boolean {
    return this.#consumer.isWell;
  }

  async start(): Promise<void> {
    await this.#consumer.started();
  }

  async stop(): Promise<void> {
    await this.#consumer.stop();
    this.#stopShowing();
    this.#deps.onStopped();
  }

  async begin(topic: string, partition: number): Promise<Beginning> {
    const { offsets, onAlarm } = this.#deps;
    const { group, from } = this.#options;
    const [ranges, places, own] = await Promise.all([
      offsets.rangesOf(topic),
      offsets.committedBy(group, topic),
      this.#options.startAt?.(topic, partition),
    ]);
    const range = ranges.find((each) => each.partition === partition);
    if (range === undefined) throw new Error(`${topic} has no partition ${partition}`);
    const committed = places.get(partition);
    const point = startingPoint(own ?? committed, range, from);
    if (point.outOfRange !== undefined)
      onAlarm(outOfRangeAlarm(group, `${topic}/${partition}`, range, point));
    return { start: point.start, committed, end: range.next };
  }

  async deliver(
    messages: readonly IncomingMessage[],
    signal: AbortSignal,
    done: (next: number) => Promise<void>,
  ): Promise<void> {
    const { topic: name, partition } = messages[0]!;
    await this.#deliveryOf(name, `${name}/${partition}`).deliver(messages, signal, done);
  }

  onHole(place: string, expected: number, found: number): void {
    if (this.#topicOf(place.slice(0, place.lastIndexOf('/'))).compacted) return;
    this.#deps.onAlarm(
      `${this.#options.group} stood at ${place}@${expected}, but the oldest that is left is ${found}: it goes on there`,
    );
  }

  #topicOf(name: string): TopicDefinition {
    return this.#options.topics.find((topic) => topic.name === name)!;
  }

  #deliveryOf(topic: string, place: string): Delivery {
    const { bus, log, timing, onAlarm } = this.#deps;
    const { group } = this.#options;
    return new Delivery({
      topic: this.#topicOf(topic),
      group,
      handle: (batch) => this.#options.handle(batch),
      bus,
      log,
      timing,
      onStall: (where) => {
        if (where === undefined) {
          this.#stalls.delete(place);
          return;
        }
        this.#stalls.set(place, where);
        onAlarm(`${group} stands still on ${where}`);
      },
    });
  }
}
