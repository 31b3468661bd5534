import type { Admin } from 'kafkajs';
import { KafkaClient, type KafkaClientOptions } from './kafka-client.ts';
import { untilCoordinated } from './until-coordinated.ts';

/** The oldest offset that a partition still has, and the one that comes next. */
export interface PartitionRange {
  readonly partition: number;
  readonly low: number;
  readonly next: number;
}

interface Connected {
  readonly client: KafkaClient;
  readonly admin: Admin;
}

/** Asks the cluster how far topics and groups reach. A connection that failed once is replaced. */
export class KafkaOffsets {
  readonly #options: KafkaClientOptions;
  #connected: Promise<Connected> | undefined;

  constructor(options: KafkaClientOptions) {
    this.#options = options;
  }

  async rangesOf(topic: string): Promise<PartitionRange[]> {
    const ranges = await this.#ask((admin) => admin.fetchTopicOffsets(topic));
    return ranges.map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      next: Number(high),
    }));
  }

  /** Where the group goes on, by partition; a partition that it never committed is absent. */
  async committedBy(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const offsets = { groupId, topics: [topic] };
    const answers = await this.#ask((admin) =>
      untilCoordinated(() => admin.fetchOffsets(offsets), this.#options.requestMs),
    );
    const places = answers.flatMap(({ partitions }) =>
      partitions.map(({ partition, offset }) => [partition, Number(offset)] as const),
    );
    return new Map(places.filter(([, offset]) => offset >= 0));
  }

  async brokers(): Promise<number> {
    return (await this.#ask((admin) => admin.describeCluster())).brokers.length;
  }

  async close(): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined);
    this.#connected = undefined;
    if (connected !== undefined) await connected.client.end(() => connected.admin.disconnect());
  }

  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const connecting = (this.#connected ??= this.#connect());
    try {
      const { admin } = await connecting;
      return await question(admin);
    } catch (error) {
      if (this.#connected === connecting) await this.close();
      throw error;
    }
  }

  async #connect(): Promise<Connected> {
    const client = new KafkaClient(this.#options);
    const admin = client.kafka.admin();
    try {
      await admin.connect();
    } catch (error) {
      await client.end(() => admin.disconnect());
      throw error;
    }
    return { client, admin };
  }
}
