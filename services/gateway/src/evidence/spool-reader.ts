import { open, type FileHandle } from 'node:fs/promises';
import { decodeFrame, frameBytes, MAX_FRAME_BYTES, type Frame } from './frame.ts';
import type { Segment } from './segment.ts';

const CHUNK_BYTES = 2 * MAX_FRAME_BYTES;

/** Reads durable records behind a moving mark, in order, over the segments' ends. */
export class SpoolReader {
  readonly #segments: readonly Segment[];
  #mark: number;
  #open: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  #offset = 0;

  /** `segments` is the spool's own list, which grows and shrinks; `mark` is the last sequence not to be read again. */
  constructor(segments: readonly Segment[], mark: number) {
    this.#segments = segments;
    this.#mark = mark;
  }

  get mark(): number {
    return this.#mark;
  }

  /** The next records, at most `limit`; the same again until the mark moves. */
  async peek(limit: number): Promise<readonly Frame[]> {
    for (;;) {
      const opened = await this.#openNext();
      if (opened === undefined) return [];
      const size = Math.min(CHUNK_BYTES, opened.segment.bytes - this.#offset);
      const chunk = Buffer.allocUnsafe(size);
      const { bytesRead } = await opened.file.read(chunk, 0, size, this.#offset);
      const frames = this.#unread(chunk.subarray(0, bytesRead), limit);
      if (frames.length > 0) return frames;
    }
  }

  /** Moves the mark behind these frames, which must be the first of what was peeked. Answers how many bytes they took. */
  advance(frames: readonly Frame[]): number {
    const last = frames.at(-1);
    if (last === undefined) return 0;
    this.#offset += last.end;
    this.#mark = last.sequence;
    return frames.reduce((bytes, frame) => bytes + frameBytes(frame), 0);
  }

  async close(): Promise<void> {
    await this.#open?.file.close();
    this.#open = undefined;
  }

  async #openNext(): Promise<{ segment: Segment; file: FileHandle } | undefined> {
    const segment = this.#segments.find(({ lastSequence }) => lastSequence > this.#mark);
    if (segment !== this.#open?.segment) {
      await this.close();
      this.#offset = 0;
      if (segment !== undefined) this.#open = { segment, file: await open(segment.path, 'r') };
    }
    return this.#open;
  }

  /** Frames behind the mark; what lies before it is stepped over for good. */
  #unread(chunk: Buffer, limit: number): Frame[] {
    const frames: Frame[] = [];
    let skipped = 0;
    for (let at = 0; frames.length < limit;) {
      const frame = decodeFrame(chunk, at);
      if (frame === undefined) break;
      at = frame.end;
      if (frame.sequence > this.#mark) frames.push(frame);
      else skipped = at;
    }
    if (frames.length > 0) return frames;
    if (skipped === 0)
      throw new Error(`${this.#open?.segment.path} cannot be read at ${this.#offset}`);
    this.#offset += skipped;
    return frames;
  }
}
