import { checkHistory } from './check-history.ts';
import type { Evidence } from './evidence.ts';
import { goodEvidence as good, messageOf, rowOf } from './good-evidence.ts';
import type { Call, Entry, Outcome } from './history.ts';

/** What the checker says of the good run with something changed. */
export function found(changes: Partial<Evidence>): string[] {
  return checkHistory({ ...good, ...changes }).map(({ what }) => what);
}

interface Change {
  readonly invokedAt?: number;
  readonly completedAt?: number | null;
  readonly outcome?: Outcome;
}

/** The same entries, with those of this id changed. */
export function entries(id: string, change: Change): readonly Entry[] {
  return good.entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
}

export const also = (...more: readonly Entry[]): readonly Entry[] => [...good.entries, ...more];
/** A call that everything else is as it should be for. */
export const witnessed = (call: Call): Partial<Evidence> => ({
  entries: also(call),
  forwarded: [...good.forwarded, { callId: call.id, tool: 'look', at: 0 }],
  trail: [...good.trail, rowOf(8, call.id)],
  raw: [...good.raw, messageOf(8, { id: 'record-8', key: 'spool-1' })],
});
