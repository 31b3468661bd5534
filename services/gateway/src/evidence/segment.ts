import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^(\d{16})-(\d{6})\.segment$/;

/** One file of the spool. What lies beyond `bytes`, or from the first sequence of the next segment on, does not count. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  /** The last durable record in it; `firstSequence - 1` while there is none. */
  lastSequence: number;
  /** Up to where it is durable. */
  bytes: number;
  /** Records that were once durable can no longer be read from it: it is kept aside when all else is relayed. */
  damaged: boolean;
}

/** The segments of a folder in the order they were begun. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).toSorted();
  return names.map((name) => emptySegment(join(directory, name), Number(NAME.exec(name)?.[1])));
}

function emptySegment(path: string, firstSequence: number): Segment {
  return { path, firstSequence, lastSequence: firstSequence - 1, bytes: 0, damaged: false };
}

/** Writes one segment. After any error it must be abandoned: what the kernel still holds of a failed sync is unknowable. */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: FileHandle;

  private constructor(segment: Segment, file: FileHandle) {
    this.segment = segment;
    this.#file = file;
  }

  /** Begins a segment; a later one with the same first sequence voids the earlier. */
  static async create(directory: string, firstSequence: number): Promise<SegmentWriter> {
    for (let generation = 0; ; generation += 1) {
      const name = `${String(firstSequence).padStart(16, '0')}-${String(generation).padStart(6, '0')}.segment`;
      const path = join(directory, name);
      try {
        const file = await open(path, 'wx', 0o600);
        await syncDirectory(directory);
        return new SegmentWriter(emptySegment(path, firstSequence), file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** Resolves once the bytes are on the medium, with the milliseconds that this took of it. */
  async append(bytes: Buffer, lastSequence: number): Promise<number> {
    for (let written = 0; written < bytes.length;) {
      const left = bytes.length - written;
      written += (await this.#file.write(bytes, written, left, this.segment.bytes + written))
        .bytesWritten;
    }
    const began = performance.now();
    await this.#file.datasync();
    const syncMs = performance.now() - began;
    this.segment.bytes += bytes.length;
    this.segment.lastSequence = lastSequence;
    return syncMs;
  }

  /** Cuts off what was not acknowledged, as far as the disk lets it, and lets go of the file. */
  async abandon(): Promise<void> {
    await this.#file.truncate(this.segment.bytes).catch(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }
}

/** Makes the creation, renaming or removal of files in a folder durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
