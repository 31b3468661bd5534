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
import type { Logger } from '../../log/logger.ts';
import { measuredPublish } from '../bus-metrics.ts';
import { partitionOfKey } from '../murmur2.ts';
import { GroupSubscription, type KafkaReaderDeps } from './group-subscription.ts';
import type { KafkaConnection } from './kafka-client.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { KafkaStateReader } from './kafka-state-reader.ts';
import { defaultKafkaTiming, type KafkaTiming } from './kafka-timing.ts';
import { OutgoingChain } from './outgoing-chain.ts';
import { whyKafkaUnreachable } from './why-unreachable.ts';

/** Which cluster the bus is on, and how its clients behave. */
export interface KafkaEventBusOptions {
  readonly connection: KafkaConnection;
  readonly log: Logger;
  /** Told of what a person should look at: a partition that stands still, an offset out of range. Logged in any case. */
  readonly onAlarm?: (alarm: string) => void;
  readonly timing?: Partial<KafkaTiming>;
}

/** The bus of a cluster, on Apache Kafka. The topics must be there: see `applyTopics`. */
export class KafkaEventBus implements EventBus {
  readonly #outgoing: OutgoingChain;
  readonly #offsets: KafkaOffsets;
  readonly #running = new Set<GroupSubscription | KafkaStateReader>();
  readonly #deps: Omit<KafkaReaderDeps, 'onStopped'>;
  #closed = false;

  constructor({ connection, log, onAlarm, timing }: KafkaEventBusOptions) {
    const patience = { ...defaultKafkaTiming, ...timing };
    const client = { connection, log, requestMs: patience.requestMs };
    this.#outgoing = new OutgoingChain(client);
    this.#offsets = new KafkaOffsets(client);
    this.#deps = {
      connection,
      offsets: this.#offsets,
      timing: patience,
      log,
      onAlarm: (alarm) => {
        log.error({ alarm: true }, alarm);
        onAlarm?.(alarm);
      },
    };
  }

  async publish(topic: TopicDefinition, messages: readonly OutgoingMessage[]): Promise<void> {
    this.#refuseWhenClosed();
    await measuredPublish(topic.name, messages, () => this.#outgoing.publish(topic, messages));
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.#refuseWhenClosed();
    const subscription: GroupSubscription = new GroupSubscription(options, {
      ...this.#deps,
      bus: this,
      onStopped: () => this.#running.delete(subscription),
    });
    this.#running.add(subscription);
    await subscription.start();
    return subscription;
  }

  async readAll(
    topic: TopicDefinition,
    handle: (message: IncomingMessage) => void | Promise<void>,
  ): Promise<StateReader> {
    this.#refuseWhenClosed();
    const reader: KafkaStateReader = new KafkaStateReader(topic, handle, {
      ...this.#deps,
      onStopped: () => this.#running.delete(reader),
    });
    this.#running.add(reader);
    return reader;
  }

  partitionOf(topic: TopicDefinition, key: string): number {
    return partitionOfKey(key, topic.partitions);
  }

  async health(): Promise<BusHealth> {
    const running = [...this.#running];
    const stalls = running.flatMap((one) => one.stalledOn ?? []);
    if (stalls.length > 0)
      return { healthy: false, detail: `stands still on ${stalls.join('; ')}` };
    try {
      const brokers = await this.#offsets.brokers();
      const waiting = running.filter((one) => !one.isWell).length;
      const detail = `${brokers} brokers, ${running.length} subscriptions, ${waiting} of them waiting for their share`;
      return { healthy: true, detail };
    } catch (error) {
      return { healthy: false, detail: whyKafkaUnreachable(error) };
    }
  }

  /** Throws while no broker answers, or none lets us in; the error says which. */
  async reach(): Promise<void> {
    try {
      await this.#offsets.brokers();
    } catch (error) {
      throw new Error(whyKafkaUnreachable(error), { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((running) => running.stop()));
    await this.#outgoing.close();
    await this.#offsets.close();
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Error('the bus is closed');
  }
}
