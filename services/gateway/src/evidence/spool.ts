import { rename, statfs, unlink } from 'node:fs/promises';
import type { Logger } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { encodeFrame, type Frame } from './frame.ts';
import { recoverSegments } from './recover-segments.ts';
import { SegmentWriter, type Segment } from './segment.ts';
import { SpoolAlarm } from './spool-alarm.ts';
import { SpoolFolder } from './spool-folder.ts';
import { SpoolReader } from './spool-reader.ts';

const SPACE_CHECK_MS = 1_000;
const LONGEST_PAUSE_MS = 5_000;
const ALARM_ENDS_BELOW = 0.9;

export interface SpoolSettings {
  readonly directory: string;
  readonly segmentBytes: number;
  /** Refuses while more than this is on disk and not yet relayed. */
  readonly backlogLimitBytes: number;
  /** Refuses while the volume has less than this left. */
  readonly minFreeBytes: number;
  /** How long to refuse after a failure before a new segment is tried; doubles up to five seconds. */
  readonly retryAfterMs: number;
}

export interface SpoolHealth {
  readonly healthy: boolean;
  readonly detail: string;
  readonly backlogBytes: number;
  readonly lastSequence: number;
  readonly relayedSequence: number;
}

interface Caller {
  readonly sequence: number;
  readonly frame: Buffer;
  resolve(): void;
  reject(reason: Refusal): void;
}

/**
 * An append-only journal on the local disk: what is appended is durable when the promise resolves. Whoever waits while
 * the disk syncs shares the next sync. After an error nobody is told "durable" before a new segment holds their record.
 */
export class Spool {
  readonly #folder: SpoolFolder;
  readonly #settings: SpoolSettings;
  readonly #log: Logger;
  readonly #alarm: SpoolAlarm;
  readonly #segments: Segment[];
  readonly #reader: SpoolReader;
  #writer: SegmentWriter | undefined;
  #durable: number;
  #next: number;
  #backlogBytes: number;
  #waiting: Caller[] = [];
  #flushing: Promise<void> | undefined;
  #failure:
    | { readonly reason: string; readonly until: number; readonly pauseMs: number }
    | undefined;
  #closed = false;
  #spaceCheckedAt = -Infinity;
  #durableListener: () => void = () => undefined;
  #syncListener: (records: number, syncMs: number) => void = () => undefined;

  private constructor(
    folder: SpoolFolder,
    settings: SpoolSettings,
    log: Logger,
    segments: Segment[],
    last: number,
    relayed: number,
  ) {
    this.#folder = folder;
    this.#settings = settings;
    this.#log = log;
    this.#alarm = new SpoolAlarm(log);
    this.#segments = segments;
    this.#durable = last;
    this.#next = last + 1;
    this.#reader = new SpoolReader(segments, relayed);
    // A segment that is relayed in part counts whole until it is done with.
    this.#backlogBytes = segments
      .filter((s) => s.lastSequence > relayed)
      .reduce((sum, s) => sum + s.bytes, 0);
  }

  /** Takes the folder, recovers what an earlier process left, and goes on where it stopped. */
  static async open(settings: SpoolSettings, log: Logger): Promise<Spool> {
    const folder = await SpoolFolder.take(settings.directory);
    try {
      const relayed = await folder.readRelayed();
      const { segments, lastSequence } = await recoverSegments(settings.directory, log);
      return new Spool(folder, settings, log, segments, Math.max(lastSequence, relayed), relayed);
    } catch (error) {
      folder.release();
      throw error;
    }
  }

  /** The id of this spool, which its sequences belong to. */
  get source(): string {
    return this.#folder.source;
  }

  health(): SpoolHealth {
    return {
      healthy: this.#refusalReason() === undefined,
      detail: this.#refusalReason() ?? 'writing',
      backlogBytes: this.#backlogBytes,
      lastSequence: this.#durable,
      relayedSequence: this.#reader.mark,
    };
  }

  /** Throws `evidence-unavailable` where an append would be refused without an attempt. */
  refuseIfBroken(): void {
    const reason = this.#refusalReason();
    if (reason !== undefined) throw refusal(reason);
  }

  /** The last group could not be made durable; the next one will show whether the disk has healed. */
  get inDoubt(): boolean {
    return this.#failure !== undefined;
  }

  /** Calls back after every group that became durable. */
  onDurable(listener: () => void): void {
    this.#durableListener = listener;
  }

  /** Calls back with how many records each group had, and how long the disk took to make them durable. */
  onSync(listener: (records: number, syncMs: number) => void): void {
    this.#syncListener = listener;
  }

  /** Appends what `write` makes of the sequence it is given; rejects with `evidence-unavailable` where it cannot be made durable. */
  append(write: (sequence: number) => Buffer): Promise<void> {
    const reason = this.#refusalReason();
    if (reason !== undefined) {
      if (!this.#closed) this.#alarm.raise({ reason });
      return Promise.reject(refusal(reason));
    }
    return new Promise((resolve, reject) => {
      const sequence = this.#next;
      this.#waiting.push({
        sequence,
        frame: encodeFrame(sequence, write(sequence)),
        resolve,
        reject,
      });
      this.#next += 1;
      this.#flushing ??= this.#flush();
    });
  }

  /** The oldest durable records not yet relayed, at most `limit`. */
  peek(limit: number): Promise<readonly Frame[]> {
    return this.#reader.peek(limit);
  }

  /** Says that these, just peeked, are relayed; segments of nothing else are deleted. */
  async markRelayed(frames: readonly Frame[]): Promise<void> {
    this.#backlogBytes = Math.max(0, this.#backlogBytes - this.#reader.advance(frames));
    if (this.#reader.mark >= this.#durable) this.#backlogBytes = 0;
    await this.#trim();
  }

  /** Writes down how far it was relayed. Losing this costs a repeat, never a record. */
  async saveRelayed(): Promise<void> {
    await this.#folder.writeRelayed(this.#reader.mark).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'how far evidence was relayed could not be written down');
    });
  }

  /** Lets what waits become durable, refuses what comes after, and lets go of the folder. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.#writer?.close();
    await this.saveRelayed();
    await this.#reader.close();
    this.#folder.release();
  }

  async #flush(): Promise<void> {
    // Callers of one turn of the event loop share a group from the first on.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#makeDurable(group);
      } catch (error) {
        await this.#refuse(group, error as Error);
      }
    }
    this.#flushing = undefined;
  }

  async #makeDurable(group: readonly Caller[]): Promise<void> {
    await this.#requireSpace();
    const [first, last] = [group[0] as Caller, group.at(-1) as Caller];
    const writer = (this.#writer ??= await this.#beginSegment(first.sequence));
    const bytes = Buffer.concat(group.map(({ frame }) => frame));
    const syncMs = await writer.append(bytes, last.sequence);
    this.#durable = last.sequence;
    this.#syncListener(group.length, syncMs);
    this.#backlogBytes += bytes.length;
    this.#failure = undefined;
    // Not at the very limit of the backlog, where every record would end it and the next raise it again.
    if (this.#backlogBytes < this.#settings.backlogLimitBytes * ALARM_ENDS_BELOW) this.#alarm.end();
    for (const caller of group) caller.resolve();
    this.#durableListener();
    if (writer.segment.bytes < this.#settings.segmentBytes) return;
    this.#writer = undefined;
    await writer.close();
  }

  async #beginSegment(firstSequence: number): Promise<SegmentWriter> {
    const writer = await SegmentWriter.create(this.#settings.directory, firstSequence);
    this.#segments.push(writer.segment);
    return writer;
  }

  /** A full disk harms more than this spool: stop short of it. */
  async #requireSpace(): Promise<void> {
    if (performance.now() - this.#spaceCheckedAt < SPACE_CHECK_MS) return;
    const { bavail, bsize } = await statfs(this.#settings.directory);
    const free = bavail * bsize;
    if (free < this.#settings.minFreeBytes)
      throw new Error(`the volume of the evidence spool has ${free} bytes left`);
    this.#spaceCheckedAt = performance.now();
  }

  async #refuse(group: readonly Caller[], error: Error): Promise<void> {
    const pauseMs = Math.min(
      this.#failure === undefined ? this.#settings.retryAfterMs : this.#failure.pauseMs * 2,
      LONGEST_PAUSE_MS,
    );
    this.#alarm.raise({ err: error, pauseMs });
    this.#failure = { reason: error.message, until: performance.now() + pauseMs, pauseMs };
    this.#spaceCheckedAt = -Infinity;
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#next = this.#durable + 1;
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.abandon();
    for (const caller of refused) caller.reject(refusal(error.message, error));
  }

  #refusalReason(): string | undefined {
    if (this.#closed) return 'the evidence spool is closed';
    if (this.#failure !== undefined && performance.now() < this.#failure.until)
      return this.#failure.reason;
    if (this.#backlogBytes > this.#settings.backlogLimitBytes)
      return 'too much evidence waits for the bus';
    return undefined;
  }

  /** The newest segment always stays: its name carries the sequence over a restart. */
  async #trim(): Promise<void> {
    while (
      this.#segments.length > 1 &&
      (this.#segments[0] as Segment).lastSequence <= this.#reader.mark
    ) {
      const [done] = this.#segments.splice(0, 1) as [Segment];
      await this.saveRelayed();
      await (done.damaged ? rename(done.path, `${done.path}.damaged`) : unlink(done.path));
    }
  }
}

function refusal(internal: string, cause?: Error): Refusal {
  return new Refusal('evidence-unavailable', { internal, cause });
}
