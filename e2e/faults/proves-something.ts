import type { Evidence, Tables, Violation } from './evidence.ts';
import { OWNERS, type Restriction } from './history.ts';
import { acknowledgedAt } from './invariants/revoked-stays-out.ts';

const FOLDED = ['admin', ...OWNERS] as const;
const STATES = ['principals', 'policy', 'catalogue'] as const;
const REVOCATIONS: Readonly<Record<Restriction['subject'], string>> = {
  key: 'a key was revoked',
  principal: 'a person was deactivated',
  server: 'a server was suspended',
  assignment: 'a role was taken',
  role: 'a role was narrowed',
};

/** A history in which nothing happened keeps every promise: what each promise is judged by must be there. */
export function provesSomething(evidence: Evidence): Violation[] {
  const { logs, topics, states, foldings, sights, trail, raw } = evidence;
  const dumps: readonly (readonly [string, number])[] = [
    ['the trail', trail.length],
    ['the topic of records', raw.length],
    ...OWNERS.map((owner) => [`the log of ${owner}`, logs[owner]?.length ?? 0] as const),
    ...OWNERS.map((owner) => [`the topic of ${owner}`, topics[owner]?.length ?? 0] as const),
    ...STATES.map((state) => [`the state of ${state}`, states[state]?.length ?? 0] as const),
    ...FOLDED.map((service) => {
      const folding = foldings.find((each) => each.service === service);
      const rows = folding && Math.min(rowsOf(folding.kept), rowsOf(folding.folded));
      return [`the read tables of ${service}`, rows ?? 0] as const;
    }),
    ['what gates show', sights.filter(({ due }) => (due?.length ?? 0) > 0).length],
  ];
  return [
    ...dumps.filter(([, size]) => size === 0).map(([what]) => vacuous(`nothing is in ${what}`)),
    ...unseen(evidence),
  ];
}

function rowsOf(tables: Tables): number {
  return Object.values(tables).reduce((sum, rows) => sum + rows.length, 0);
}

/** Which kinds of revocation a gate has never acknowledged. */
function unseen(evidence: Evidence): Violation[] {
  const seen = new Set(acknowledgedAt(evidence).map(({ node, subject }) => `${subject}@${node}`));
  return evidence.nodes.flatMap((node) =>
    Object.entries(REVOCATIONS)
      .filter(([subject]) => !seen.has(`${subject}@${node}`))
      .map(([, what]) => vacuous(`${node} never acknowledged that ${what}`)),
  );
}

function vacuous(what: string): Violation {
  return { invariant: 'proves something', what, shownBy: [] };
}
