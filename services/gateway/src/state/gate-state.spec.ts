import { topics, type PrincipalState, type TopicDefinition } from '@gatehouse/event-catalog';
import { createLogger } from '@gatehouse/platform';
import { beatsAt } from '@gatehouse/platform/testing';
import { ManualClock } from '@gatehouse/testing';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import { classKey } from '@gatehouse/policy-engine';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { endpointOf, type Endpoint } from '../entrance/endpoint.ts';
import { catalogueState, type Tools } from '../test/gate-under-test.ts';
import { GateState } from './gate-state.ts';
import type { StateChange } from './state-change.ts';
import { stateTopics } from './state-topics.ts';
import { Visibility } from './visible-tools.ts';

const deps = {
  log: createLogger({ service: 'test', level: 'silent' }),
  clock: new ManualClock(),
  stateMaxAgeMs: 15_000,
  stateResyncAfterMs: 600_000,
};
let state: GateState;
let position = 0;
beforeEach(() => {
  state = new GateState(deps);
});

function apply(topic: TopicDefinition, key: string, value: unknown, at = (position += 1)): void {
  const body =
    value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  const headers = Number.isNaN(at) ? {} : { position: String(at) };
  state.fold.apply({ topic: topic.name, partition: 0, offset: 0, key, value: body, headers });
}
const server = (slug: string, tools: Tools, at?: number, inService = true): void =>
  apply(
    topics.catalogueState,
    slug,
    catalogueState(slug, { kind: 'streamable-http', url: 'http://x' }, tools, inService),
    at,
  );
const policy = (tools: Record<string, string>, number = 1): void =>
  apply(topics.policyState, 'bundle', {
    number,
    roles: [{ name: 'r', description: '', management: 'none', connectors: [{ slug: '*', tools }] }],
  });
const caller = (...roles: string[]): CallingPrincipal => ({
  kind: 'agent',
  id: 'a',
  name: 'a',
  roles,
  classKey: classKey(roles),
});
const endpoint = (path: string): Endpoint => endpointOf(path)!;
const listed = (of: Visibility, path: string, who = caller('r')): string[] =>
  (JSON.parse(of.of(who, endpoint(path)).list) as { tools: { name: string }[] }).tools.map(
    (t) => t.name,
  );

const hear = (): void =>
  beatsAt(
    deps.clock.now(),
    stateTopics.map(({ topic }) => topic),
  ).forEach((beat) => state.fold.apply(beat));
const waitingFor = (what: string): string => `gateway state: ${what}`;

describe('readiness', () => {
  it('needs all three: what was there, the word of every owner that it is all, and a policy', () => {
    expect(state.doubt()).toMatchObject({
      code: 'not-ready',
      waitingFor: waitingFor('the end of its topics'),
    });
    state.fold.markCaughtUp();
    expect(state.doubt()?.waitingFor).toBe(waitingFor('a beat of identity, policy, registry'));
    hear();
    expect(state.doubt()).toMatchObject({ code: 'not-ready', waitingFor: waitingFor('a policy') });
    policy({});
    expect(state.doubt()).toBeUndefined();
  });

  it('is lost while the newest policy cannot be read, and comes back with the next', () => {
    state.fold.markCaughtUp();
    hear();
    policy({ '*': 'write' });
    apply(topics.policyState, 'bundle', { number: 2, roles: 'all' });
    expect(state.doubt()?.code).toBe('not-ready');
    expect(state.decide(caller('r'), { server: 's', name: 't', class: 'read' }).allow).toBe(false);
    policy({ '*': 'read' }, 3);
    expect([state.doubt(), state.bundleNumber]).toEqual([undefined, 3]);
  });

  it.each([
    ['broken', Buffer.from('{')],
    ['of another shape', { number: 1, roles: 'all' }],
    ['a tombstone, which no policy has', null],
  ])(
    'comes back when the policy is told again at the position of one that is %s',
    (_how, illegible) => {
      const roles = (name: string) => [
        { name, description: '', management: 'none', connectors: [] },
      ];
      state.fold.markCaughtUp();
      hear();
      apply(topics.policyState, 'bundle', { number: 1, roles: roles('old') }, 5);
      apply(topics.policyState, 'bundle', illegible, 9);
      expect(state.doubt()?.code).toBe('not-ready');
      apply(topics.policyState, 'bundle', { number: 1, roles: roles('old') }, 8);
      expect(state.doubt()?.code).toBe('not-ready');
      apply(topics.policyState, 'bundle', { number: 2, roles: roles('new') }, 9);
      expect([state.doubt(), state.bundleNumber]).toEqual([undefined, 2]);
    },
  );
});

describe('a server', () => {
  it('is as its newest position says, whatever came when', () => {
    server('s', { read: ['new'] }, 1_010);
    server('s', { read: ['old'] }, 1_005);
    expect([...state.servers.get('s')!.tools.keys()]).toEqual(['new']);
    apply(topics.catalogueState, 's', null, 1_011);
    server('s', { read: ['late'] }, 1_010);
    expect(state.servers.has('s')).toBe(false);
  });

  it('comes back when its owner tells again what a word without a position has taken away, and nothing older does', () => {
    const now = { read: ['echo'] };
    server('s', { read: ['old'] }, 2_000);
    server('s', now, 2_001);
    for (let times = 0; times < 3; times += 1)
      apply(
        topics.catalogueState,
        's',
        catalogueState('s', { kind: 'streamable-http', url: 'http://x' }, {}),
        Number.NaN,
      );
    server('s', { read: ['old'] }, 2_000);
    expect(state.servers.has('s')).toBe(false);
    server('s', now, 2_001);
    expect([...state.servers.get('s')!.tools.keys()]).toEqual(['echo']);
  });

  it.each([
    ['broken', Buffer.from('{')],
    ['of another shape', { slug: 's' }],
  ])(
    'comes back when its owner tells it again at the position of what is %s, and nothing older does',
    (_how, illegible) => {
      const now = { read: ['echo'] };
      server('s', now, 5);
      apply(topics.catalogueState, 's', illegible, 9);
      server('s', now, 8);
      expect(state.servers.has('s')).toBe(false);
      server('s', now, 9);
      expect([...state.servers.get('s')!.tools.keys()]).toEqual(['echo']);
      apply(topics.catalogueState, 's', illegible, 9);
      expect(state.servers.has('s')).toBe(true);
    },
  );

  it('is taken away by a message that cannot be read, that speaks of another, or that has no position', () => {
    for (const [index, illegible] of [
      { slug: 's' },
      Buffer.from('{'),
      catalogueState('t', { kind: 'streamable-http', url: 'http://x' }, {}),
    ].entries()) {
      server('s', { read: ['echo'] });
      expect(state.servers.has('s')).toBe(true);
      apply(topics.catalogueState, 's', illegible);
      expect([index, state.servers.has('s')]).toEqual([index, false]);
    }
    server('s', { read: ['echo'] });
    apply(
      topics.catalogueState,
      's',
      catalogueState('s', { kind: 'streamable-http', url: 'http://x' }, {}),
      Number.NaN,
    );
    expect(state.servers.has('s')).toBe(false);
  });
});

describe('what comes again, and in another order', () => {
  interface Told {
    readonly topic: TopicDefinition;
    readonly key: string;
    readonly value: unknown;
    readonly at: number;
  }
  const agentOf = (id: string, roles: string[]): PrincipalState => ({
    kind: 'agent',
    id,
    name: id,
    active: true,
    ownerUserId: null,
    roles,
    keys: [{ keyId: `key-of-${id}`, secretSha256: '00', notAfter: null }],
  });
  const [agents, slugs] = [
    ['a', 'b'],
    ['s', 't'],
  ];
  const told = (at: number, what: string, is: string): Told => {
    const isGone = is === 'gone';
    if (agents.includes(what)) {
      const value = isGone ? null : agentOf(what, [is]);
      return { topic: topics.principalsState, key: `agent:${what}`, value, at };
    }
    if (slugs.includes(what)) {
      const transport = { kind: 'streamable-http', url: `http://${is}` } as const;
      const value = isGone ? null : catalogueState(what, transport, { read: [is] });
      return { topic: topics.catalogueState, key: what, value, at };
    }
    // A policy has no tombstone; an empty one is as near as it comes.
    const roles = isGone ? [] : [{ name: is, description: '', management: 'none', connectors: [] }];
    return { topic: topics.policyState, key: 'bundle', value: { number: at, roles }, at };
  };
  const tell = ({ topic, key, value, at }: Told): void => apply(topic, key, value, at);
  const seen = () => ({
    roles: agents.map(
      (id) =>
        state.directory.current({ kind: 'agent', id }, `key-of-${id}`, new Date())?.roles ?? null,
    ),
    servers: slugs.map((slug) => [...(state.servers.get(slug)?.tools.keys() ?? ['none'])]),
    bundle: state.bundleNumber,
  });

  it('changes nothing: the newest position of each entity holds, whether it is there or gone', () => {
    const history = fc
      .array(
        fc.tuple(
          fc.constantFrom('a', 'b', 's', 't', 'policy'),
          fc.constantFrom('one', 'two', 'gone'),
        ),
        { minLength: 1, maxLength: 12 },
      )
      .map((steps) => steps.map(([what, is], index) => told(index + 1, what, is)));
    const withNoise = history.chain((inOrder) =>
      fc.record({
        inOrder: fc.constant(inOrder),
        // Each at least once, some again, in any order.
        noisy: fc.subarray(inOrder).chain((again) =>
          fc.shuffledSubarray([...inOrder, ...again], {
            minLength: inOrder.length + again.length,
          }),
        ),
      }),
    );
    fc.assert(
      fc.property(withNoise, ({ inOrder, noisy }) => {
        state = new GateState(deps);
        inOrder.forEach(tell);
        const expected = seen();
        state = new GateState(deps);
        noisy.forEach(tell);
        expect(seen()).toEqual(expected);
        // And all of it once more, as a relay does that lost the answer of the bus.
        inOrder.forEach(tell);
        expect(seen()).toEqual(expected);
      }),
    );
  });

  it('does not bring back what is gone', () => {
    tell(told(5, 'a', 'gone'));
    tell(told(4, 'a', 'one'));
    tell(told(5, 's', 'gone'));
    tell(told(4, 's', 'one'));
    expect(seen()).toMatchObject({ roles: [null, null], servers: [['none'], ['none']] });
  });
});

describe('a principal', () => {
  it('is locked out by a message that cannot be read', () => {
    const agent: PrincipalState = {
      kind: 'agent',
      id: 'a',
      name: 'a',
      active: true,
      ownerUserId: null,
      roles: ['r'],
      keys: [{ keyId: 'k', secretSha256: '00', notAfter: null }],
    };
    const ref = { kind: 'agent', id: 'a' } as const;
    apply(topics.principalsState, 'agent:a', agent);
    expect(state.directory.current(ref, 'k', new Date())?.roles).toEqual(['r']);
    apply(topics.principalsState, 'agent:a', { ...agent, active: 'yes' });
    expect(state.directory.current(ref, 'k', new Date())).toBeUndefined();
    apply(topics.principalsState, 'agent:a', agent, position);
    expect(state.directory.current(ref, 'k', new Date())?.roles).toEqual(['r']);
  });
});

describe('a change', () => {
  it('is announced once for all that came together, naming what it touches', async () => {
    const changes: StateChange[] = [];
    state.onChange((change) => changes.push(change));
    server('s', {});
    server('t', {});
    policy({});
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(changes).toEqual([
      { principals: new Set(), servers: new Set(['s', 't']), policy: true },
    ]);
  });
});

describe('what is visible', () => {
  it('is what is granted of what is in service, the approved copy under the name of the endpoint', () => {
    const visibility = new Visibility(state);
    policy({ '*': 'read' });
    server('b', {
      read: [{ name: 'look', inputSchema: {}, odd: { kept: true } }],
      write: ['change'],
    });
    server('a', { read: ['see'] });
    server('off', { read: ['see'] }, undefined, false);
    expect(listed(visibility, '/mcp')).toEqual(['a__see', 'b__look']);
    expect(listed(visibility, '/s/b/mcp')).toEqual(['look']);
    expect(visibility.of(caller('r'), endpoint('/s/b/mcp')).list).toBe(
      '{"tools":[{"name":"look","inputSchema":{},"odd":{"kept":true}}]}',
    );
    expect(listed(visibility, '/s/off/mcp')).toEqual([]);
    expect(listed(visibility, '/mcp', caller())).toEqual([]);
  });

  it('changes with the policy and with the catalogue', () => {
    const visibility = new Visibility(state);
    policy({ '*': 'read' });
    server('a', { read: ['see'], write: ['change'] });
    expect(listed(visibility, '/mcp')).toEqual(['a__see']);
    policy({ '*': 'write' }, 2);
    expect(listed(visibility, '/mcp')).toEqual(['a__see', 'a__change']);
    server('a', { read: ['see'] });
    expect(listed(visibility, '/mcp')).toEqual(['a__see']);
  });

  it('is kept for a class of callers, and nothing is kept for names that callers make up', () => {
    const visibility = new Visibility(state);
    policy({ '*': 'read' });
    server('a', { read: ['see'] });
    const one = visibility.of({ ...caller('r'), id: 'one' }, endpoint('/mcp'));
    expect(visibility.of({ ...caller('r'), id: 'two' }, endpoint('/mcp'))).toBe(one);
    expect(visibility.of(caller('r'), endpoint('/s/made-up/mcp')).count).toBe(0);
  });

  it('is exactly what may be called, for any policy and catalogue', () => {
    const mode = fc.constantFrom('read', 'write', 'off');
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 4 });
    const grants = fc.dictionary(fc.constantFrom('*', 'a', 'b', 'a*', '*b', 'c'), mode);
    fc.assert(
      fc.property(grants, names, names, fc.boolean(), (tools, read, write, inService) => {
        state = new GateState(deps);
        policy(tools);
        const writes = write.filter((name) => !read.includes(name));
        server('s', { read, write: writes }, undefined, inService);
        const callable = [...(state.servers.get('s')?.tools.values() ?? [])]
          .filter((tool) => inService && state.decide(caller('r'), tool).allow)
          .map((tool) => tool.name);
        expect(listed(new Visibility(state), '/s/s/mcp')).toEqual(callable);
      }),
    );
  });
});
