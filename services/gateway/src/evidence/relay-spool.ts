import { topics } from '@gatehouse/event-catalog';
import type { EventBus, OutgoingMessage } from '@gatehouse/event-sourcing';
import { Pulse, type Logger } from '@gatehouse/platform';
import type { Frame } from './frame.ts';
import type { Spool } from './spool.ts';

const BATCH = 500;
// Long enough that a busy gate publishes batches and not single records, short enough to search by.
const LINGER_MS = 20;
const SAVE_EVERY_MS = 1_000;
const DRAIN_MS = 3_000;

/** Publishes what is durable, in order, without end: the mark moves when the bus has acknowledged, so a crash repeats and never skips. */
export class SpoolRelay {
  readonly #spool: Spool;
  readonly #bus: EventBus;
  readonly #log: Logger;
  readonly #pulse: Pulse;
  #linger: NodeJS.Timeout | undefined;
  #saved: number;
  #savedAt = 0;

  constructor(spool: Spool, bus: EventBus, log: Logger) {
    this.#spool = spool;
    this.#bus = bus;
    this.#log = log;
    this.#saved = spool.health().relayedSequence;
    this.#pulse = new Pulse(() => this.#relayBatch(), SAVE_EVERY_MS, log);
  }

  start(): void {
    this.#pulse.start();
    this.#spool.onDurable(() => {
      this.#linger ??= setTimeout(() => {
        this.#linger = undefined;
        this.#pulse.poke();
      }, LINGER_MS);
    });
  }

  /** Stops; what is not relayed within three seconds is relayed by the next start. */
  async stop(): Promise<void> {
    this.#spool.onDurable(() => undefined);
    clearTimeout(this.#linger);
    await this.#pulse.stop();
    const end = performance.now() + DRAIN_MS;
    try {
      while (performance.now() < end && (await this.#relayBatch()));
    } catch (error) {
      this.#log.warn(
        { err: error, ...this.#spool.health() },
        'stopped with evidence that the next start will relay',
      );
    }
  }

  /** Answers whether there may be more. */
  async #relayBatch(): Promise<boolean> {
    const frames = await this.#spool.peek(BATCH);
    if (frames.length > 0) {
      await this.#bus.publish(
        topics.auditRaw,
        frames.map((frame) => toMessage(this.#spool.source, frame)),
      );
      await this.#spool.markRelayed(frames);
    }
    await this.#saveNowAndThen();
    return frames.length === BATCH;
  }

  async #saveNowAndThen(): Promise<void> {
    const { relayedSequence } = this.#spool.health();
    if (relayedSequence === this.#saved || performance.now() - this.#savedAt < SAVE_EVERY_MS)
      return;
    await this.#spool.saveRelayed();
    this.#saved = relayedSequence;
    this.#savedAt = performance.now();
  }
}

/** A record as a CloudEvents 1.0 message in binary mode. A source never uses a sequence twice, so it serves as the id. */
function toMessage(source: string, { sequence, payload }: Frame): OutgoingMessage {
  return {
    key: source,
    value: payload,
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: String(sequence),
      ce_source: `/gatehouse/gateway/${source}`,
      ce_type: 'gateway.request-recorded.v1',
      ce_subject: source,
      ce_sequence: String(sequence),
      sequence: String(sequence),
    },
  };
}
