import type { Evidence, Violation } from './evidence.ts';
import { appendedAsAnswered } from './invariants/appended-as-answered.ts';
import { blindGateRefuses } from './invariants/blind-gate-refuses.ts';
import { foldedFromLog } from './invariants/folded-from-log.ts';
import { orderedByKey } from './invariants/ordered-by-key.ts';
import { recordedOnce } from './invariants/recorded-once.ts';
import { recovers } from './invariants/recovers.ts';
import { revokedStaysOut } from './invariants/revoked-stays-out.ts';

const invariants: readonly ((evidence: Evidence) => Violation[])[] = [
  recordedOnce,
  appendedAsAnswered,
  orderedByKey,
  foldedFromLog,
  revokedStaysOut,
  blindGateRefuses,
  recovers,
];

/** Judges what was gathered, offline: every promise that it shows broken, with what shows it. */
export function checkHistory(evidence: Evidence): Violation[] {
  return invariants.flatMap((invariant) => invariant(evidence));
}
