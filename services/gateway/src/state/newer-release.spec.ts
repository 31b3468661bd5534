import { topics, type PrincipalState, type TopicDefinition } from '@gatehouse/event-catalog';
import { createLogger } from '@gatehouse/platform';
import { classKey } from '@gatehouse/policy-engine';
import { ManualClock } from '@gatehouse/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { catalogueState } from '../test/gate-under-test.ts';
import { GateState } from './gate-state.ts';

const agent: PrincipalState = {
  kind: 'agent',
  id: 'a',
  name: 'a',
  active: true,
  ownerUserId: null,
  roles: ['r'],
  keys: [{ keyId: 'k', secretSha256: '00', notAfter: null }],
};
const caller = {
  kind: 'agent',
  id: 'a',
  name: 'a',
  roles: ['r'],
  classKey: classKey(['r']),
} as const;
const connectors = [{ slug: '*', tools: { '*': 'write' } }];
const roles = [{ name: 'r', description: '', management: 'none', connectors }];
const tool = { server: 's', name: 'echo', class: 'read' } as const;

/** What this build knows by heart: a message of each state topic, and whether the gate stands by it. */
const known: readonly {
  readonly topic: TopicDefinition;
  readonly key: string;
  readonly value: object;
  stands(state: GateState): boolean;
}[] = [
  {
    topic: topics.principalsState,
    key: 'agent:a',
    value: agent,
    stands: (state) =>
      state.directory.current({ kind: 'agent', id: 'a' }, 'k', new Date(0)) !== undefined,
  },
  {
    topic: topics.policyState,
    key: 'bundle',
    value: { number: 1, roles },
    stands: (state) => state.decide(caller, tool).allow,
  },
  {
    topic: topics.catalogueState,
    key: 's',
    value: catalogueState('s', { kind: 'streamable-http', url: 'http://x' }, { read: ['echo'] }),
    stands: (state) => state.servers.has('s'),
  },
];

let state: GateState;
let position = 0;

beforeEach(() => {
  state = new GateState({
    log: createLogger({ service: 'test', level: 'silent' }),
    clock: new ManualClock(),
    stateMaxAgeMs: 15_000,
    stateResyncAfterMs: 600_000,
  });
});

function hear(topic: TopicDefinition, key: string, value: object): void {
  position += 1;
  state.fold.apply({
    topic: topic.name,
    partition: 0,
    offset: position,
    key,
    value: Buffer.from(JSON.stringify(value)),
    headers: { position: String(position) },
  });
}

// A newer release might mean a restriction by it, and this build would not keep it.
describe.each(known)('state of $topic.name that a newer release published', (message) => {
  const { topic, key, value, stands } = message;

  it.each([
    ['with a field that this build does not know', { ...value, onlyOnWorkdays: true }],
    ['in a shape that this build does not know', { version: 2, entity: value }],
  ])('grants nothing where it comes %s, until it can be read again', (_how, newer) => {
    expect(stands(state)).toBe(false);
    hear(topic, key, value);
    expect(stands(state)).toBe(true);
    hear(topic, key, newer);
    expect(stands(state)).toBe(false);
    hear(topic, key, value);
    expect(stands(state)).toBe(true);
  });
});
