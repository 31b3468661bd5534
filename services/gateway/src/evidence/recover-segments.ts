import { open, readFile, writeFile } from 'node:fs/promises';
import type { Logger } from '@gatehouse/platform';
import { decodeFrames, highestSequenceBehind } from './frame.ts';
import { listSegments, type Segment } from './segment.ts';

/** What a spool folder holds after a stop of any kind. */
export interface RecoveredSegments {
  readonly segments: Segment[];
  /** The highest sequence ever acknowledged, as far as the folder can tell. */
  readonly lastSequence: number;
}

/** Reads every segment, cuts a torn tail off the newest (kept aside as `.torn`), and makes what is left durable. */
export async function recoverSegments(directory: string, log: Logger): Promise<RecoveredSegments> {
  const segments = await listSegments(directory);
  let lastSequence = 0;
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    const content = await readFile(segment.path);
    readInto(segment, content, next?.firstSequence ?? Infinity);
    lastSequence = Math.max(lastSequence, segment.firstSequence - 1, segment.lastSequence);
    if (next === undefined)
      lastSequence = Math.max(lastSequence, await healTail(segment, content, log));
    else noteDamage(segment, next, log);
  }
  return { segments, lastSequence };
}

function readInto(segment: Segment, content: Buffer, voidFrom: number): void {
  for (const frame of decodeFrames(content)) {
    if (frame.sequence !== segment.lastSequence + 1 || frame.sequence >= voidFrom) return;
    segment.lastSequence = frame.sequence;
    segment.bytes = frame.end;
  }
}

function noteDamage(segment: Segment, next: Segment, log: Logger): void {
  if (segment.lastSequence >= next.firstSequence - 1) return;
  segment.damaged = true;
  const [from, to] = [segment.lastSequence + 1, next.firstSequence - 1];
  log.error(
    { path: segment.path, from, to },
    'ALARM: evidence was damaged on disk; these records cannot be read',
  );
}

/** Answers the highest sequence in the tail: where acknowledged records lie behind a break, their numbers are not used again, so that the gap shows. */
async function healTail(segment: Segment, content: Buffer, log: Logger): Promise<number> {
  const file = await open(segment.path, 'r+');
  try {
    let highest = segment.lastSequence;
    if (content.length > segment.bytes) {
      const tornTo = `${segment.path}.torn`;
      await writeFile(tornTo, content.subarray(segment.bytes), { mode: 0o600 }).catch(
        () => undefined,
      );
      await file.truncate(segment.bytes);
      highest = highestSequenceBehind(content, segment.bytes, segment.lastSequence + 1) ?? highest;
      const lost = highest - segment.lastSequence;
      log[lost > 0 ? 'error' : 'warn'](
        { tornTo, lost },
        'a torn end of the evidence spool was cut off and kept aside',
      );
    }
    // A killed process leaves pages that the kernel holds and the disk does not.
    await file.sync();
    return highest;
  } finally {
    await file.close();
  }
}
