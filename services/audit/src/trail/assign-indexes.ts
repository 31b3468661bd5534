import type { IncomingRecord } from './incoming-record.ts';

/** A record with its number in the log. */
export interface IndexedRecord extends IncomingRecord {
  readonly index: number;
}

/** Numbers of a source that never came; noticed when the record that is now `beforeIndex` did. */
export interface Gap {
  readonly source: string;
  readonly firstMissing: number;
  readonly lastMissing: number;
  readonly beforeIndex: number;
}

/** What a batch changes in the log. */
export interface Assignment {
  readonly records: readonly IndexedRecord[];
  readonly gaps: readonly Gap[];
  /** The sources that moved, and how far. */
  readonly cursors: ReadonlyMap<string, number>;
  readonly size: number;
}

/** Numbers what is new from `size` on, drops what a source's cursor has passed, and names what is missing before it. */
export function assignIndexes(
  size: number,
  cursorOf: ReadonlyMap<string, number>,
  incoming: readonly IncomingRecord[],
): Assignment {
  const records: IndexedRecord[] = [];
  const gaps: Gap[] = [];
  const cursors = new Map<string, number>();
  for (const item of incoming) {
    const { source, sequence } = item.record;
    const last = cursors.get(source) ?? cursorOf.get(source) ?? 0;
    if (sequence <= last) continue;
    const index = size + records.length;
    if (sequence > last + 1) {
      gaps.push({ source, firstMissing: last + 1, lastMissing: sequence - 1, beforeIndex: index });
    }
    records.push({ ...item, index });
    cursors.set(source, sequence);
  }
  return { records, gaps, cursors, size: size + records.length };
}
