import { topics } from '@gatehouse/event-catalog';
import { PoisonMessage, type MessageBatch, type Subscription } from '@gatehouse/event-sourcing';
import type { Platform, ServiceDatabase, Worker } from '@gatehouse/platform';
import type { Assignment, Gap } from './assign-indexes.ts';
import { readIncomingRecord, type IncomingRecord } from './incoming-record.ts';
import { sequenceRecords, type BusPlace } from './sequence-records.ts';
import { countStored, showTrail } from './trail-metrics.ts';
import { verifyTrail } from './verify-trail.ts';

/** Takes the records of all gates off the bus and into the trail. The place on the bus is kept with the data: the bus's own offsets do not matter. */
export class StoreRecordsWhenGatesPublish implements Worker {
  readonly name = 'audit-trail';
  readonly #platform: Platform;
  readonly #database: ServiceDatabase;
  readonly #ready: ReturnType<Platform['readiness']['waitFor']>;
  #subscription: Subscription | undefined;
  #stopShowing: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#database = platform.database('audit');
    this.#ready = platform.readiness.waitFor('audit-trail');
  }

  async start(): Promise<void> {
    await verifyTrail(this.#database);
    // A start that failed is tried again.
    this.#stopShowing?.();
    this.#stopShowing = showTrail(this.#database);
    this.#subscription = await this.#platform.bus.subscribe({
      group: 'gatehouse.audit.trail',
      topics: [topics.auditRaw],
      startAt: (topic, partition) => this.#nextOffset(topic, partition),
      handle: (batch) => this.#store(batch),
    });
    this.#ready.done();
  }

  async stop(): Promise<void> {
    this.#ready.again();
    this.#stopShowing?.();
    await this.#subscription?.stop();
    this.#subscription = undefined;
  }

  async #store({ topic, partition, messages }: MessageBatch): Promise<void> {
    const records: IncomingRecord[] = [];
    let poison: PoisonMessage | undefined;
    let nextOffset = messages[0]?.offset ?? 0;
    for (const message of messages) {
      try {
        records.push(readIncomingRecord(message));
        nextOffset = message.offset + 1;
      } catch (error) {
        if (!(error instanceof PoisonMessage)) throw error;
        poison = error;
        break;
      }
    }
    // What came before the poison is evidence all the same.
    if (records.length > 0) {
      const assignment = await this.#sequence(records, { topic, partition, nextOffset });
      countStored(records.length, assignment);
      for (const gap of assignment.gaps) this.#alarm(gap);
    }
    if (poison !== undefined) throw poison;
  }

  /** One partition at a time: they would only wait for each other's lock, and hold a connection each. */
  #sequence(records: readonly IncomingRecord[], place: BusPlace): Promise<Assignment> {
    const mine = this.#turn.then(() => sequenceRecords(this.#database, records, place));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #alarm({ source, firstMissing, lastMissing, beforeIndex }: Gap): void {
    const what = { source, firstMissing, lastMissing, beforeIndex };
    this.#platform.log.error(
      what,
      'ALARM: records of a gate never came; the gap is written down in audit.gap',
    );
  }

  async #nextOffset(topic: string, partition: number): Promise<number | undefined> {
    const { rows } = await this.#database.pool.query<{ next_offset: number }>(
      'select next_offset from bus_cursor where topic = $1 and partition = $2',
      [topic, partition],
    );
    return rows[0]?.next_offset;
  }
}
