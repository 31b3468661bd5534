import { createHash } from 'node:crypto';
import type { AuditFilter } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';

/** A place in one search: the log as it was at the first page, and the last row that was seen. */
export interface TrailCursor {
  /** How many records the log had when the search began; later ones do not exist for it. */
  readonly size: number;
  /** The index of that row. */
  readonly seen: number;
}

/** The cursor as callers carry it; it belongs to this filter. */
export function encodeCursor({ size, seen }: TrailCursor, filter: AuditFilter): string {
  return Buffer.from(`1.${size}.${seen}.${digestOf(filter)}`).toString('base64url');
}

/** Reads a cursor back; `cursor-invalid` for anything that this search, over a log of `currentSize`, did not give out. */
export function decodeCursor(text: string, filter: AuditFilter, currentSize: number): TrailCursor {
  const match = /^1\.(\d{1,15})\.(\d{1,15})\.([\da-f]{16})$/.exec(
    Buffer.from(text, 'base64url').toString('latin1'),
  );
  if (match === null) throw new Refusal('cursor-invalid');
  const cursor = { size: Number(match[1]), seen: Number(match[2]) };
  const genuine =
    encodeCursor(cursor, filter) === text &&
    cursor.seen < cursor.size &&
    cursor.size <= currentSize;
  if (!genuine) throw new Refusal('cursor-invalid');
  return cursor;
}

function digestOf(filter: AuditFilter): string {
  const sorted = Object.entries(filter).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}
