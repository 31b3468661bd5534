import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import type { EventBus, IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import type { Logger } from '../log/logger.ts';

/** What says of a dead letter which message it is, and why it lies there. */
export function parkingHeaders(message: IncomingMessage, why: string): Record<string, string> {
  return {
    ...message.headers,
    dlq_topic: message.topic,
    dlq_partition: String(message.partition),
    dlq_offset: String(message.offset),
    dlq_error: why,
  };
}

/** Watches the dead letters of a topic for a message that somebody has parked by hand: for every group, that is, so it names none. */
export class ParkedLetters {
  readonly #bus: Pick<EventBus, 'readAll'>;
  readonly #topic: TopicDefinition;
  readonly #message: IncomingMessage;
  readonly #log: Logger;
  #reader: StateReader | undefined;
  #isThere = false;

  constructor(
    bus: Pick<EventBus, 'readAll'>,
    topic: TopicDefinition,
    message: IncomingMessage,
    log: Logger,
  ) {
    this.#bus = bus;
    this.#topic = topic;
    this.#message = message;
    this.#log = log;
  }

  /** Whether it lies there by now. The first question begins the watch. */
  async hold(): Promise<boolean> {
    try {
      this.#reader ??= await this.#bus.readAll(deadLetterTopicOf(this.#topic.name), (letter) => {
        if (this.#names(letter)) this.#isThere = true;
      });
    } catch (error) {
      this.#log.warn({ err: error }, 'the dead letters cannot be read yet');
    }
    return this.#isThere;
  }

  async stop(): Promise<void> {
    await this.#reader?.stop();
  }

  #names({ headers }: IncomingMessage): boolean {
    const { topic, partition, offset } = this.#message;
    return (
      headers['dlq_group'] === undefined &&
      headers['dlq_topic'] === topic &&
      headers['dlq_partition'] === String(partition) &&
      headers['dlq_offset'] === String(offset)
    );
  }
}
