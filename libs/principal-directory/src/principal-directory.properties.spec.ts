import type { PrincipalRef, PrincipalState } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mintKey, PrincipalDirectory, principalKey } from './index.ts';

type User = Extract<PrincipalState, { kind: 'user' }>;
type Agent = Extract<PrincipalState, { kind: 'agent' }>;

interface Message {
  readonly key: string;
  readonly value: PrincipalState | null;
  readonly position: number;
}

const now = new Date('2026-06-01T12:00:00.000Z');
const minted = ['k1', 'k2', 'k3'].map((keyId, index) => ({
  keyId,
  ...mintKey(keyId, new Uint8Array(32).fill(index)),
}));
const refs: PrincipalRef[] = [
  { kind: 'user', id: '1' },
  { kind: 'user', id: '2' },
  { kind: 'agent', id: '1' },
  { kind: 'agent', id: '2' },
];

const keys = fc
  .subarray(minted)
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map(({ keyId, secretSha256 }) =>
        fc
          .constantFrom(null, '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z')
          .map((notAfter) => ({ keyId, secretSha256, notAfter })),
      ),
    ),
  );
const id = fc.constantFrom('1', '2');
const roles = fc.array(fc.constantFrom('clerk', 'viewer', 'robot'), { maxLength: 3 });
const entity: fc.Arbitrary<PrincipalState> = fc.oneof(
  fc.record({
    kind: fc.constant('user' as const),
    id,
    name: fc.constant('user'),
    displayName: fc.constant('User'),
    active: fc.boolean(),
    groupIds: fc.subarray(['1', '2']),
    roles,
    keys,
  }),
  fc.record({
    kind: fc.constant('agent' as const),
    id,
    name: fc.constant('agent'),
    active: fc.boolean(),
    ownerUserId: fc.constantFrom(null, '1', '2', '3'),
    roles,
    keys,
  }),
  fc.record({ kind: fc.constant('group' as const), id, name: fc.constant('group'), roles }),
);
const history: fc.Arbitrary<Message[]> = fc
  .array(fc.tuple(entity, fc.boolean()), { minLength: 1, maxLength: 20 })
  .map((entries) =>
    entries.map(([value, isGone], index) => ({
      key: principalKey(value),
      value: isGone && index % 3 === 0 ? null : value,
      position: index + 1,
    })),
  );

/** The messages in some order, each at least once. */
const arrivalOf = (messages: readonly Message[]) =>
  fc
    .array(fc.nat({ max: messages.length - 1 }), { maxLength: 20 })
    .chain((repeats) => {
      const all = [...messages.keys(), ...repeats];
      return fc.shuffledSubarray(all, { minLength: all.length });
    })
    .map((order) => order.flatMap((index) => messages[index] ?? []));

function folded(messages: readonly Message[]): PrincipalDirectory {
  const directory = new PrincipalDirectory();
  for (const { key, value, position } of messages) directory.apply(key, value, position);
  return directory;
}

function answers(directory: PrincipalDirectory): unknown {
  return {
    byToken: minted.map(({ token }) => {
      const answer = directory.authenticate(`Bearer ${token}`, now);
      return answer.kind === 'principal' ? answer : answer.code;
    }),
    bySession: refs.flatMap((ref) =>
      minted.map(({ keyId }) => directory.current(ref, keyId, now) ?? null),
    ),
  };
}

/** Whom a token's bearer calls as by the newest value of every entity, read off anew for each question. */
function expectedRoles(messages: readonly Message[], keyId: string): string[] | undefined {
  const newest = new Map(messages.map(({ key, value }) => [key, value]));
  const values = [...newest.values()].filter((value) => value !== null);
  const holders = values.filter(
    (value) => value.kind !== 'group' && value.keys.some((key) => key.keyId === keyId),
  );
  const [holder] = holders;
  if (holders.length !== 1 || holder === undefined || holder.kind === 'group') return undefined;
  const ends = holder.keys.find((key) => key.keyId === keyId)?.notAfter ?? '9999-01-01';
  if (!holder.active || new Date(ends) <= now) return undefined;
  return holder.kind === 'agent' ? rolesOfAgent(holder, values) : rolesOfUser(holder, values);
}

function rolesOfAgent(agent: Agent, values: readonly PrincipalState[]): string[] | undefined {
  const { ownerUserId } = agent;
  const vouched = values.some(
    (value) => value.kind === 'user' && value.id === ownerUserId && value.active,
  );
  return ownerUserId === null || vouched ? [...new Set(agent.roles)].toSorted() : undefined;
}

function rolesOfUser(user: User, values: readonly PrincipalState[]): string[] {
  const groups = values.filter(
    (value) => value.kind === 'group' && user.groupIds.includes(value.id),
  );
  const all = [...user.roles, ...groups.flatMap((group) => group.roles)];
  return [...new Set(all)].toSorted();
}

describe('the directory', () => {
  it('is the same whatever the order in which messages come and however often they are repeated', () => {
    fc.assert(
      fc.property(
        history.chain((messages) => fc.tuple(fc.constant(messages), arrivalOf(messages))),
        ([messages, arrival]) => {
          expect(answers(folded(arrival))).toEqual(answers(folded(messages)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('answers by the newest value of every entity, asked along the way or not', () => {
    fc.assert(
      fc.property(history, (messages) => {
        const directory = new PrincipalDirectory();
        messages.forEach(({ key, value, position }, index) => {
          directory.apply(key, value, position);
          for (const { keyId, token } of minted) {
            const answer = directory.authenticate(`Bearer ${token}`, now);
            const roles = answer.kind === 'principal' ? answer.principal.roles : undefined;
            expect(roles).toEqual(expectedRoles(messages.slice(0, index + 1), keyId));
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('names everybody whose answer a change altered', () => {
    fc.assert(
      fc.property(history, (messages) => {
        const directory = new PrincipalDirectory();
        const affected = new Set<string>();
        directory.onChange((principals) => {
          for (const ref of principals) affected.add(principalKey(ref));
        });
        for (const { key, value, position } of messages) {
          const look = (): string[] =>
            refs.map((ref) =>
              JSON.stringify(minted.map(({ keyId }) => directory.current(ref, keyId, now) ?? null)),
            );
          const before = look();
          affected.clear();
          directory.apply(key, value, position);
          const after = look();
          const altered = refs.filter((_ref, index) => before[index] !== after[index]);
          expect([...affected]).toEqual(expect.arrayContaining(altered.map(principalKey)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
