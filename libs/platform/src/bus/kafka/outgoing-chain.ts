import type { TopicDefinition } from '@gatehouse/event-catalog';
import { MessageTooLarge, type OutgoingMessage } from '@gatehouse/event-sourcing';
import kafkajs, { type Message, type Producer } from 'kafkajs';
import { KafkaClient, type KafkaClientOptions } from './kafka-client.ts';

const MAX_VALUE_BYTES = 1024 * 1024;
const MAX_MESSAGES = 500;
const MAX_BYTES = 1024 * 1024;
const ALL_REPLICAS = -1;

interface Waiting {
  readonly topic: string;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly settle: (error?: unknown) => void;
}

interface Connected {
  readonly client: KafkaClient;
  readonly producer: Producer;
}

const bytesOf = ({ key, value, headers }: OutgoingMessage): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + 10,
    (value?.length ?? 0) + Buffer.byteLength(key ?? '') + 30,
  );

/**
 * Sends one batch at a time, in the order of asking. After any error the producer is thrown away: kafkajs would use the
 * sequence numbers of a failed send for the next one, which the broker then takes for a repetition and drops.
 */
export class OutgoingChain {
  readonly #options: KafkaClientOptions;
  readonly #queue: Waiting[] = [];
  #nextKeyless = 0;
  #connected: Connected | undefined;
  #running: Promise<void> | undefined;

  constructor(options: KafkaClientOptions) {
    this.#options = options;
  }

  async publish(topic: TopicDefinition, messages: readonly OutgoingMessage[]): Promise<void> {
    const large = messages.find(({ value }) => (value?.length ?? 0) > MAX_VALUE_BYTES);
    if (large !== undefined) throw new MessageTooLarge(topic.name, large.value!.length);
    for (const part of partsOf(messages)) {
      await new Promise<void>((resolve, reject) => {
        this.#queue.push({
          topic: topic.name,
          messages: part.map((message) => this.#toKafka(topic, message)),
          bytes: part.reduce((sum, message) => sum + bytesOf(message), 0),
          settle: (error) => (error === undefined ? resolve() : reject(error)),
        });
        this.#running ??= this.#run();
      });
    }
  }

  /** Resolves when nothing is under way any more, and ends the connection. */
  async close(): Promise<void> {
    await this.#running;
    await this.#discardProducer();
  }

  #toKafka(topic: TopicDefinition, { key, value, headers }: OutgoingMessage): Message {
    const message = { key, value, headers };
    if (key !== null) return message;
    this.#nextKeyless = (this.#nextKeyless + 1) % topic.partitions;
    return { ...message, partition: this.#nextKeyless };
  }

  async #run(): Promise<void> {
    // What is asked for in the same turn goes out together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#send(batch);
        for (const { settle } of batch) settle();
      } catch (error) {
        await this.#discardProducer();
        for (const { settle } of batch) settle(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    const end = this.#queue.findIndex((waiting, i) => {
      bytes += waiting.bytes;
      count += waiting.messages.length;
      return i > 0 && (bytes > MAX_BYTES || count > MAX_MESSAGES);
    });
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const byTopic = Map.groupBy(batch, ({ topic }) => topic);
    const { producer } = (this.#connected ??= await this.#connect());
    await producer.sendBatch({
      acks: ALL_REPLICAS,
      timeout: this.#options.requestMs,
      topicMessages: [...byTopic].map(([topic, parts]) => ({
        topic,
        messages: parts.flatMap(({ messages }) => messages),
      })),
    });
  }

  async #connect(): Promise<Connected> {
    const client = new KafkaClient(this.#options);
    const producer = client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // Few, as whoever publishes tries again anyway: a passing change of leader should not reach them.
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 500 },
    });
    try {
      await producer.connect();
    } catch (error) {
      await client.end(() => producer.disconnect());
      throw error;
    }
    return { client, producer };
  }

  async #discardProducer(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    if (connected !== undefined) await connected.client.end(() => connected.producer.disconnect());
  }
}

/** What fits into one record batch of a partition, wherever its messages go. */
function partsOf(messages: readonly OutgoingMessage[]): OutgoingMessage[][] {
  const parts: OutgoingMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const part = parts.at(-1);
    bytes += bytesOf(message);
    if (part === undefined || bytes > MAX_BYTES || part.length >= MAX_MESSAGES) {
      parts.push([message]);
      bytes = bytesOf(message);
    } else part.push(message);
  }
  return parts;
}
