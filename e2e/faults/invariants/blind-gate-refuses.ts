import type { Evidence, Violation } from '../evidence.ts';

/** A gate that has heard nothing of the bus for too long lets nobody in until it hears of it again. */
export function blindGateRefuses({ entries, bounds: { blindMs } }: Evidence): Violation[] {
  if (blindMs === undefined) return [];
  const faults = entries.filter((entry) => entry.kind === 'fault');
  const allowed = entries.filter((entry) => entry.kind === 'call' && entry.outcome.kind === 'ok');
  return faults.flatMap((fault) =>
    allowed
      .filter((call) => call.kind === 'call' && fault.blinded.includes(call.node))
      .filter(
        (call) =>
          call.invokedAt > fault.invokedAt + blindMs &&
          // What is answered later may have been decided later, once it heard again.
          (call.completedAt ?? Number.POSITIVE_INFINITY) <=
            (fault.completedAt ?? Number.POSITIVE_INFINITY),
      )
      .map((call) => ({
        invariant: 'a blind gate refuses',
        what: 'allowed on a gate that could not know',
        shownBy: [fault, call],
      })),
  );
}
