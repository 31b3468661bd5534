import type { Evidence, Violation } from '../evidence.ts';

const INVARIANT = 'projection = fold(log)';

/** Read tables are what a fold of the whole log makes of them, and each gate shows each caller what policy says. */
export function foldedFromLog({ foldings, sights }: Evidence): Violation[] {
  const tables = foldings.flatMap(({ service, kept, folded }) =>
    [...new Set([...Object.keys(kept), ...Object.keys(folded)])].flatMap((table) => {
      const [before, after] = [kept[table] ?? [], folded[table] ?? []];
      const onlyKept = before.filter((row) => !after.includes(row));
      const onlyFolded = after.filter((row) => !before.includes(row));
      if (onlyKept.length + onlyFolded.length === 0 && before.length === after.length) return [];
      return [broken(`${service}.${table} is not what its log says`, { onlyKept, onlyFolded })];
    }),
  );
  const seen = sights
    .filter(({ shown, due }) => JSON.stringify(shown) !== JSON.stringify(due))
    .map((sight) => broken('a gate does not show what policy says', sight));
  return [...tables, ...seen];
}

function broken(what: string, ...shownBy: readonly unknown[]): Violation {
  return { invariant: INVARIANT, what, shownBy };
}
