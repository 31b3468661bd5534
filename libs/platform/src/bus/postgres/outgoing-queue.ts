import { MessageTooLarge, type OutgoingMessage } from '@gatehouse/event-sourcing';
import type { TopicDefinition } from '@gatehouse/event-catalog';
import type { MessageLog, PartitionEnd, PlacedMessage } from './message-log.ts';
import { partitionOfKey } from '../murmur2.ts';

const MAX_VALUE_BYTES = 1024 * 1024;
const ROUND_MESSAGES = 2_000;
const ROUND_BYTES = 8 * 1024 * 1024;

interface Shipment {
  readonly messages: readonly PlacedMessage[];
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * One append under way at a time, and whatever arrives meanwhile goes together in the next: callers share commits, the
 * order of calls is the order in the log, and publishing never takes more than one connection.
 */
export class OutgoingQueue {
  readonly #log: MessageLog;
  readonly #onAppended: (ends: readonly PartitionEnd[]) => void;
  readonly #waiting: Shipment[] = [];
  readonly #turns = new Map<string, number>();
  #running: Promise<void> | undefined;

  constructor(log: MessageLog, onAppended: (ends: readonly PartitionEnd[]) => void) {
    this.#log = log;
    this.#onAppended = onAppended;
  }

  async publish(topic: TopicDefinition, outgoing: readonly OutgoingMessage[]): Promise<void> {
    if (outgoing.length === 0) return;
    const messages = outgoing.map((message) => this.#place(topic, message));
    const bytes = messages.reduce((sum, message) => sum + (message.value?.length ?? 0), 0);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ messages, bytes, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    // A tick's grace: calls made in the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const round = this.#nextRound();
      if (!(await this.#ship(round)) && round.length > 1) await this.#shipOneByOne(round);
    }
    this.#running = undefined;
  }

  #nextRound(): Shipment[] {
    let [count, bytes, messages] = [0, 0, 0];
    for (const shipment of this.#waiting) {
      bytes += shipment.bytes;
      messages += shipment.messages.length;
      if (count > 0 && (bytes > ROUND_BYTES || messages > ROUND_MESSAGES)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** A refusal of the server may be the fault of one shipment among many: then false, and nobody has been told yet. */
  async #ship(round: readonly Shipment[]): Promise<boolean> {
    try {
      this.#onAppended(await this.#log.append(round.flatMap((shipment) => shipment.messages)));
      for (const shipment of round) shipment.resolve();
      return true;
    } catch (error) {
      if (round.length > 1 && isRefused(error)) return false;
      for (const shipment of round) shipment.reject(error);
      return true;
    }
  }

  async #shipOneByOne(round: readonly Shipment[]): Promise<void> {
    for (const shipment of round) await this.#ship([shipment]);
  }

  #place(topic: TopicDefinition, { key, value, headers }: OutgoingMessage): PlacedMessage {
    if (value !== null && value.length > MAX_VALUE_BYTES) {
      throw new MessageTooLarge(topic.name, value.length);
    }
    if (topic.compacted && key === null) {
      throw new TypeError(`a message without a key makes no sense on the compacted ${topic.name}`);
    }
    const partition = key === null ? this.#nextTurn(topic) : partitionOfKey(key, topic.partitions);
    return { topic, partition, key, value, headers: JSON.stringify(headers) };
  }

  #nextTurn(topic: TopicDefinition): number {
    const turn = this.#turns.get(topic.name) ?? Math.floor(Math.random() * topic.partitions);
    this.#turns.set(topic.name, turn + 1);
    return turn % topic.partitions;
  }
}

/** Class 22: the data itself is wrong, such as a NUL in a key. Anything else hits every shipment alike. */
function isRefused(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('22');
}
