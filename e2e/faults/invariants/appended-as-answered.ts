import type { AdminOperation } from '../history.ts';
import type { Evidence, Violation } from '../evidence.ts';

/** A change that was answered is in its owner's log once, one that was refused is not, and one of which nobody knows is at most once. */
export function appendedAsAnswered({ entries, logs }: Evidence): Violation[] {
  const groups = new Map<string, AdminOperation[]>();
  for (const entry of entries) {
    if (entry.kind !== 'admin') continue;
    const key = JSON.stringify(entry.leaves);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()].flatMap((operations) => {
    const { owner, type, mark } = operations[0]!.leaves;
    const left = (logs[owner] ?? []).filter(
      (event) => event.type === type && event.data.includes(mark),
    );
    const sure = operations.filter(({ outcome }) => outcome.kind === 'ok').length;
    const refused = operations.filter(({ outcome }) => outcome.kind === 'refused').length;
    if (left.length < sure) return [broken('an answered change is not in the log', operations)];
    return left.length > operations.length - refused
      ? [broken('the log has a change that nobody was to make', [...operations, ...left])]
      : [];
  });
}

function broken(what: string, shownBy: readonly unknown[]): Violation {
  return { invariant: 'appended as answered', what, shownBy };
}
