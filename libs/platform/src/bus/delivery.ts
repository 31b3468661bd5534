import { deadLetterTopicOf, type TopicDefinition } from '@gatehouse/event-catalog';
import {
  PoisonMessage,
  type EventBus,
  type IncomingMessage,
  type MessageBatch,
} from '@gatehouse/event-sourcing';
import type { Logger } from '../log/logger.ts';
import { batchRetries, consumedMessages, deadLetters, partitionsStopped } from './bus-metrics.ts';
import type { BusTiming } from './bus-timing.ts';
import { ParkedLetters, parkingHeaders } from './parked-letters.ts';
import { backoffMs, sleepUnless } from './patience.ts';

const POISON_ATTEMPTS = 3;

export interface DeliveryDeps {
  readonly topic: TopicDefinition;
  readonly group: string;
  readonly handle: (batch: MessageBatch) => Promise<void>;
  readonly bus: Pick<EventBus, 'publish' | 'readAll'>;
  readonly log: Logger;
  readonly timing: BusTiming;
  /** Told where the partition stands still, and `undefined` when it goes on. */
  readonly onStall: (where: string | undefined) => void;
}

/**
 * What happens to messages that do not go through, the same on every adapter. A transient failure is retried without
 * end. A poison message is set apart: those before it are handed over once more as a batch of their own (the handler
 * may have undone them with it), then it is tried alone, then parked; or, on a security topic, the partition stands still
 * until the message can be applied, or somebody has parked it by hand.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Calls `done` with the offset to go on from after each part that has been dealt with; an abort ends only the waiting. */
  async deliver(
    messages: readonly IncomingMessage[],
    signal: AbortSignal,
    done: (next: number) => Promise<void>,
  ): Promise<void> {
    const parts: IncomingMessage[][] = [[...messages]];
    const attempts = new Map<number, number>();
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const poison = await this.#attempt(part, signal);
      if (poison === 'aborted') return;
      if (poison !== undefined) {
        const attempt = (attempts.get(poison.offset) ?? 0) + 1;
        attempts.set(poison.offset, attempt);
        const index = part.findIndex((message) => message.offset === poison.offset);
        const [bad] = part.splice(index, 1) as [IncomingMessage];
        const rest = part.splice(index);
        if (part.length > 0) {
          parts.unshift(part, [bad], rest);
          continue;
        }
        if (!(await this.#setApart(bad, poison, attempt, signal))) return;
        if (rest.length > 0) parts.unshift(rest);
        part = [bad];
      }
      const last = part.at(-1);
      if (last !== undefined) await done(last.offset + 1);
      if (signal.aborted) return;
    }
  }

  /** Nothing when the handler took them; the poison it found; or that we were told to give up meanwhile. */
  async #attempt(
    messages: readonly IncomingMessage[],
    signal: AbortSignal,
  ): Promise<PoisonMessage | 'aborted' | undefined> {
    const { topic, group, handle, log, timing } = this.#deps;
    const [first] = messages;
    if (first === undefined) return undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await handle({ topic: topic.name, partition: first.partition, messages });
        consumedMessages.inc({ topic: topic.name, group }, messages.length);
        return undefined;
      } catch (error) {
        const isHere = messages.some(
          (message) => message.offset === (error as { offset?: unknown }).offset,
        );
        if (error instanceof PoisonMessage && isHere) return error;
        const where = {
          topic: topic.name,
          partition: first.partition,
          offset: first.offset,
          group,
        };
        batchRetries.inc({ topic: topic.name, group });
        log.warn({ err: error, ...where, attempt }, 'a batch was not taken; it is tried again');
        const wait = backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs);
        if (!(await sleepUnless(signal, wait))) return 'aborted';
      }
    }
  }

  /** What is left of three attempts, then the dead-letter topic, or standing still. False when told to give up. */
  async #setApart(
    message: IncomingMessage,
    lastPoison: PoisonMessage,
    attempts: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    let poison = lastPoison;
    for (let attempt = attempts + 1; attempt <= POISON_ATTEMPTS; attempt += 1) {
      if (!(await sleepUnless(signal, this.#deps.timing.retryFirstMs))) return false;
      const again = await this.#attempt([message], signal);
      if (again === 'aborted') return false;
      if (again === undefined) return true;
      poison = again;
    }
    return this.#deps.topic.security
      ? this.#standStill(message, poison, signal)
      : this.#park(message, poison, signal);
  }

  async #standStill(
    message: IncomingMessage,
    poison: PoisonMessage,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { bus, topic, group, log, timing, onStall } = this.#deps;
    const parked = new ParkedLetters(bus, topic, message, log);
    onStall(poison.message);
    partitionsStopped.add({ topic: topic.name, group }, 1);
    try {
      while (await sleepUnless(signal, timing.stallRetryMs)) {
        const again = await this.#attempt([message], signal);
        if (again === undefined) return true;
        if (await parked.hold()) {
          log.error({ err: poison, group }, 'a message was passed over, as somebody has parked it');
          return true;
        }
      }
      return false;
    } finally {
      await parked.stop();
      onStall(undefined);
      partitionsStopped.add({ topic: topic.name, group }, -1);
    }
  }

  async #park(
    message: IncomingMessage,
    poison: PoisonMessage,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { bus, group, log, timing } = this.#deps;
    const headers = {
      ...parkingHeaders(message, poison.message),
      dlq_attempts: String(POISON_ATTEMPTS),
      dlq_group: group,
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await bus.publish(deadLetterTopicOf(message.topic), [{ ...message, headers }]);
        deadLetters.inc({ topic: message.topic, group });
        log.error({ err: poison, group }, 'a message was parked in the dead-letter topic');
        return true;
      } catch (error) {
        log.warn({ err: error, group, attempt }, 'a dead letter could not be parked yet');
        const wait = backoffMs(attempt, timing.retryFirstMs, timing.retryCapMs);
        if (!(await sleepUnless(signal, wait))) return false;
      }
    }
  }
}
