import { expect, it } from 'vitest';
import type { Evidence } from './evidence.ts';
import { callOf, goodEvidence as good, messageOf, refused } from './good-evidence.ts';
import type { AdminOperation, Call, Entry, Restriction } from './history.ts';
import { provesSomething } from './proves-something.ts';

const NODES = ['gateway-1', 'gateway-2'] as const;
const revoked = good.entries.find(({ id }) => id === 'op-1') as AdminOperation;

interface Loss {
  readonly operation: AdminOperation;
  readonly who: Partial<Call>;
  readonly word: string;
}

function taken(id: string, restricts: Restriction): AdminOperation {
  return { ...revoked, id, restricts };
}

const losses: Readonly<Record<Restriction['subject'], Loss>> = {
  key: { operation: revoked, who: { caller: 'mortal', keyId: 'key-2' }, word: 'token-refused' },
  principal: {
    operation: taken('op-5', { subject: 'principal', of: 'person' }),
    who: { caller: 'person', keyId: 'key-5' },
    word: 'token-refused',
  },
  assignment: {
    operation: taken('op-3', { subject: 'assignment', of: 'assigned' }),
    who: { caller: 'assigned', keyId: 'key-3' },
    word: 'tool-unknown',
  },
  role: {
    operation: taken('op-6', { subject: 'role', of: 'narrowed' }),
    who: { role: 'narrowed' },
    word: 'tool-unknown',
  },
  server: {
    operation: taken('op-4', { subject: 'server', of: 'shaky' }),
    who: { server: 'shaky' },
    word: 'tool-unknown',
  },
};

function entriesOf({ operation, who, word }: Loss): readonly Entry[] {
  const calls = NODES.flatMap((node) => [
    callOf(`${operation.id}-in-${node}`, 1_500, { ...who, node }),
    callOf(`${operation.id}-out-${node}`, 2_500, { ...who, node, outcome: refused(word) }),
  ]);
  return [operation, ...calls];
}

const folding = good.foldings[0]!;
const full: Evidence = {
  ...good,
  entries: Object.values(losses).flatMap(entriesOf),
  logs: { ...good.logs, policy: good.logs['registry']! },
  topics: { ...good.topics, policy: good.topics['registry']! },
  states: { ...good.states, policy: [messageOf(0)], catalogue: [messageOf(0)] },
  foldings: ['admin', 'identity', 'policy', 'registry'].map((service) => ({ ...folding, service })),
};

function found(changes: Partial<Evidence>): string[] {
  return provesSomething({ ...full, ...changes }).map(({ what }) => what);
}

it('finds nothing where every kind of revocation came about and every dump has rows', () => {
  expect(provesSomething(full)).toEqual([]);
});

it.each([
  ['key', 'a key was revoked'],
  ['principal', 'a person was deactivated'],
  ['assignment', 'a role was taken'],
  ['role', 'a role was narrowed'],
  ['server', 'a server was suspended'],
] as const)('finds a run in which nothing was taken from a %s', (subject, what) => {
  const lost = losses[subject];
  const others = Object.values(losses).filter((loss) => loss !== lost);
  const never = NODES.map((node) => `${node} never acknowledged that ${what}`);
  const rest = others.flatMap(entriesOf);
  expect(found({ entries: rest })).toEqual(never);
  const outcome = { kind: 'unknown', why: 'killed' } as const;
  const unanswered = { ...lost, operation: { ...lost.operation, outcome } };
  expect(found({ entries: [...rest, ...entriesOf(unanswered)] })).toEqual(never);
});

it('finds a gate that never refused for a revocation, and a refusal of what never went well', () => {
  const never = ['gateway-2 never acknowledged that a key was revoked'];
  const without = (id: string): readonly Entry[] => full.entries.filter((entry) => entry.id !== id);
  expect(found({ entries: without('op-1-out-gateway-2') })).toEqual(never);
  expect(found({ entries: without('op-1-in-gateway-2') })).toEqual(never);
});

it('finds dumps that are empty', () => {
  expect(found({ logs: { ...full.logs, policy: [] } })).toContain(
    'nothing is in the log of policy',
  );
  expect(found({ topics: { ...full.topics, registry: [] } })).toEqual([
    'nothing is in the topic of registry',
  ]);
  expect(found({ states: { ...full.states, catalogue: [] } })).toEqual([
    'nothing is in the state of catalogue',
  ]);
  expect(found({ trail: [], raw: [] })).toEqual([
    'nothing is in the trail',
    'nothing is in the topic of records',
  ]);
  expect(found({ sights: [{ ...full.sights[0]!, due: [] }] })).toEqual([
    'nothing is in what gates show',
  ]);
});

it('finds read tables that are empty, or that were not folded anew', () => {
  const [admin, ...others] = full.foldings;
  expect(found({ foldings: others })).toEqual(['nothing is in the read tables of admin']);
  const empty = { ...admin!, kept: { agent: [] }, folded: { agent: [] } };
  expect(found({ foldings: [empty, ...others] })).toEqual([
    'nothing is in the read tables of admin',
  ]);
});
