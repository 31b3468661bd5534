import { describe, expect, test } from 'vitest';
import { letsPass, selects, type Aim, type Party } from './network-rules.ts';
import type { Manifest, NetworkPolicySpec, Peer } from './rendered-chart.ts';

const a: Party = { address: '10.0.0.1', labels: { app: 'a' } };
const b: Party = {
  address: '10.0.0.2',
  labels: { app: 'b' },
  ports: [{ name: 'http', containerPort: 8080 }],
};
const foreign: Party = {
  address: '10.0.0.3',
  labels: { app: 'b' },
  namespace: { 'kubernetes.io/metadata.name': 'other', team: 'red' },
};
const outside: Party = { address: '203.0.113.7' };
const http: Aim = { port: 8080, protocol: 'TCP' };

const policies = (...specs: readonly NetworkPolicySpec[]): Manifest[] =>
  specs.map((spec, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${index}` },
    spec: spec as Manifest['spec'] & object,
  }));

const onA = { podSelector: { matchLabels: { app: 'a' } } };
const onB = { podSelector: { matchLabels: { app: 'b' } } };

describe('a call under NetworkPolicies', () => {
  test('passes where there is none, and where none means who calls or is called', () => {
    expect(letsPass([], a, b, http)).toBe(true);
    const others = policies({
      podSelector: { matchLabels: { app: 'c' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    expect(letsPass(others, a, b, http)).toBe(true);
  });

  test('is held by a policy of no labels, which means every pod of its namespace, and no other', () => {
    const nobody = policies({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    expect(letsPass(nobody, a, b, http)).toBe(false);
    expect(letsPass(nobody, outside, b, http)).toBe(false);
    expect(letsPass(nobody, a, outside, http)).toBe(false);
    expect(letsPass(nobody, foreign, outside, http)).toBe(true);
  });

  test.each([
    ['both ways', ['Ingress', 'Egress'], false, false],
    ['as it comes in alone', ['Ingress'], true, false],
    ['as it goes out alone', ['Egress'], false, true],
  ] as const)('is held %s by policyTypes', (_, policyTypes, goesOut, comesIn) => {
    const held = policies({ ...onA, policyTypes });
    expect(letsPass(held, a, b, http)).toBe(goesOut);
    expect(letsPass(held, b, a, http)).toBe(comesIn);
  });

  test('is held as it comes in where policyTypes says nothing, and as it goes out if there is a rule for that', () => {
    expect(letsPass(policies(onA), a, b, http)).toBe(true);
    expect(letsPass(policies(onA), b, a, http)).toBe(false);
    const withRule = policies({ ...onA, egress: [{ ports: [{ port: 443 }] }] });
    expect(letsPass(withRule, a, b, http)).toBe(false);
    expect(letsPass(withRule, b, a, http)).toBe(false);
  });

  test('is not let by a rule for a direction that policyTypes leaves out', () => {
    const rules = policies(
      { ...onA, policyTypes: ['Ingress'], egress: [{}] },
      { podSelector: {}, policyTypes: ['Egress'] },
    );
    expect(letsPass(rules, a, outside, http)).toBe(false);
  });

  test('needs both to be let: out of the one, in to the other', () => {
    const out: NetworkPolicySpec = { ...onA, policyTypes: ['Egress'], egress: [{ to: [onB] }] };
    const into: NetworkPolicySpec = {
      ...onB,
      policyTypes: ['Ingress'],
      ingress: [{ from: [onA] }],
    };
    const none: NetworkPolicySpec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
    expect(letsPass(policies(out, into, none), a, b, http)).toBe(true);
    expect(letsPass(policies(out, none), a, b, http)).toBe(false);
    expect(letsPass(policies(into, none), a, b, http)).toBe(false);
    expect(letsPass(policies(out, into, none), b, a, http)).toBe(false);
  });

  test.each([
    ['absent', { ports: [{ port: 8080 }] }],
    ['empty', { to: [], ports: [{ port: 8080 }] }],
    ['null', { to: null, ports: [{ port: 8080 }] }],
  ])('goes to anybody where the peers of a rule are %s', (_, rule) => {
    const held = policies({ ...onA, policyTypes: ['Egress'], egress: [rule] });
    for (const called of [b, foreign, outside]) {
      expect(letsPass(held, a, called, http)).toBe(true);
      expect(letsPass(held, a, called, { port: 8081, protocol: 'TCP' })).toBe(false);
    }
  });

  test('comes from anybody where a rule does not say from whom', () => {
    const held = policies({ ...onB, policyTypes: ['Ingress'], ingress: [{ ports: [http] }] });
    for (const caller of [a, foreign, outside]) expect(letsPass(held, caller, b, http)).toBe(true);
  });

  test.each([
    ['absent', { to: [onB] }],
    ['empty', { to: [onB], ports: [] }],
    ['null', { to: [onB], ports: null }],
  ])('goes to every port where the ports of a rule are %s', (_, rule) => {
    const held = policies({ ...onA, policyTypes: ['Egress'], egress: [rule] });
    expect(letsPass(held, a, b, http)).toBe(true);
    expect(letsPass(held, a, b, { port: 53, protocol: 'UDP' })).toBe(true);
    expect(letsPass(held, a, outside, http)).toBe(false);
  });

  test.each([{}, null])('goes anywhere by the rule %j', (rule) => {
    const held = policies({ ...onA, policyTypes: ['Egress'], egress: [rule] });
    expect(letsPass(held, a, outside, { port: 1, protocol: 'UDP' })).toBe(true);
  });

  test.each([
    ['its number', { port: 8080 }, [8080]],
    ['its name with the called', { port: 'http' }, [8080]],
    ['a range', { port: 8080, endPort: 8082 }, [8080, 8081, 8082]],
    ['its protocol alone', { protocol: 'TCP' }, [8079, 8080, 8081, 8082, 8083]],
    ['another protocol', { protocol: 'UDP', port: 8080 }, []],
  ])('is let to a port by %s', (_, port, open) => {
    const held = policies({ ...onA, policyTypes: ['Egress'], egress: [{ ports: [port] }] });
    const passed = [8079, 8080, 8081, 8082, 8083].filter((asked) =>
      letsPass(held, a, b, { port: asked, protocol: 'TCP' }),
    );
    expect(passed).toEqual(open);
  });

  const red = { matchLabels: { team: 'red' } };
  const peers: readonly (readonly [string, Peer, readonly Party[]])[] = [
    ['every pod of its namespace', { podSelector: {} }, [b]],
    ['pods of its namespace', onB, [b]],
    ['every pod of every namespace', { namespaceSelector: {} }, [b, foreign]],
    ['every pod of some namespaces', { namespaceSelector: red }, [foreign]],
    ['some pods of some namespaces', { namespaceSelector: red, ...onA }, []],
    ['some pods of every namespace', { namespaceSelector: {}, ...onB }, [b, foreign]],
    ['addresses', { ipBlock: { cidr: '203.0.113.0/24' } }, [outside]],
    [
      'all addresses but some',
      { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } },
      [outside],
    ],
    ['all addresses', { ipBlock: { cidr: '0.0.0.0/0' } }, [b, foreign, outside]],
    ['nobody', {}, []],
  ];
  test.each(peers)('is let to %s', (_, peer, meant) => {
    const held = policies({ ...onA, policyTypes: ['Egress'], egress: [{ to: [peer] }] });
    expect([b, foreign, outside].filter((called) => letsPass(held, a, called, http))).toEqual(
      meant,
    );
  });

  test('is let by any one of several policies', () => {
    const held = policies(
      { ...onA, policyTypes: ['Egress'], egress: [{ ports: [{ port: 53 }] }] },
      { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [onB] }] },
    );
    expect(letsPass(held, a, b, http)).toBe(true);
    expect(letsPass(held, a, outside, { port: 53, protocol: 'TCP' })).toBe(true);
    expect(letsPass(held, a, outside, http)).toBe(false);
  });
});

test.each([
  ['In', ['a', 'b'], [true, false, false]],
  ['NotIn', ['a', 'b'], [false, true, true]],
  ['Exists', undefined, [true, true, false]],
  ['DoesNotExist', undefined, [false, false, true]],
] as const)('a selector may ask for labels by %s', (operator, values, expected) => {
  const matchExpressions = [{ key: 'app', operator, ...(values && { values }) }];
  expect(
    [{ app: 'a' }, { app: 'c' }, {}].map((labels) => selects({ matchExpressions }, labels)),
  ).toEqual(expected);
});
