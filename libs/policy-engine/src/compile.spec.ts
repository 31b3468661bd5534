import type { RoleDefinition } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classKey, compile, decide, managementOf, readToolGrant } from './index.ts';

function role(name: string, parts: Partial<RoleDefinition> = {}): RoleDefinition {
  return { name, description: '', management: 'none', connectors: [], ...parts };
}

describe('a compiled policy', () => {
  it('is refused when two roles have one name', () => {
    expect(() => compile([role('clerk'), role('clerk', { management: 'administer' })])).toThrow(
      'the role clerk is defined twice',
    );
  });

  it('says the most that any held role may do to the gate', () => {
    const policy = compile([
      role('plain'),
      role('watcher', { management: 'observe' }),
      role('chief', { management: 'administer' }),
    ]);
    expect(managementOf(policy, [])).toBe('none');
    expect(managementOf(policy, ['ghost', 'plain'])).toBe('none');
    expect(managementOf(policy, ['plain', 'watcher'])).toBe('observe');
    expect(managementOf(policy, ['chief', 'watcher'])).toBe('administer');
  });

  it('keeps names apart that would look alike when joined', () => {
    const policy = compile([
      role('clerk', { connectors: [{ slug: 'a', tools: { 'b/c': 'read' } }] }),
    ]);
    const ask = (server: string, tool: string): boolean =>
      decide(policy, { roles: ['clerk'], server, tool, toolClass: 'read' }).allow;
    expect([ask('a', 'b/c'), ask('a/b', 'c'), ask('a', 'b/c')]).toEqual([true, false, true]);
  });

  it('answers the same after more questions than it can remember', () => {
    const policy = compile([
      role('clerk', { connectors: [{ slug: 's', tools: { 't1*': 'read' } }] }),
    ]);
    const roles = Object.freeze(['clerk']);
    const ask = (tool: string): boolean =>
      decide(policy, { roles, server: 's', tool, toolClass: 'read' }).allow;
    let granted = 0;
    for (let index = 0; index < 120_000; index += 1) granted += ask(`t${index}`) ? 1 : 0;
    const expected = Array.from({ length: 120_000 }, (_, index) => `${index}`).filter((digits) =>
      digits.startsWith('1'),
    ).length;
    expect(granted).toBe(expected);
    expect([ask('t1'), ask('t2'), ask('x'.repeat(5_000)), ask(`t1${'x'.repeat(5_000)}`)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('does not go by an older state of a role list that its owner changed', () => {
    const policy = compile([role('clerk', { connectors: [{ slug: 's', tools: { t: 'read' } }] })]);
    const roles = ['clerk'];
    const ask = (): boolean =>
      decide(policy, { roles, server: 's', tool: 't', toolClass: 'read' }).allow;
    expect(ask()).toBe(true);
    roles.pop();
    expect(ask()).toBe(false);
  });

  it('hands out decisions that nobody can tamper with', () => {
    const decision = decide(compile([]), { roles: [], server: 's', tool: 't', toolClass: 'read' });
    expect(Object.isFrozen(decision) && Object.isFrozen(decision.reason)).toBe(true);
  });
});

describe('the key of a principal class', () => {
  it('is the same for the same set of roles and for no other', () => {
    const roles = fc.array(
      fc.string({ unit: fc.constantFrom('a', ',', '"', '[', '\n'), maxLength: 3 }),
    );
    fc.assert(
      fc.property(roles, roles, (one, other) => {
        const sameSet =
          one.every((name) => other.includes(name)) && other.every((name) => one.includes(name));
        expect(classKey(one) === classKey(other)).toBe(sameSet);
        expect(classKey([...one.toReversed(), ...one])).toBe(classKey(one));
      }),
    );
  });
});

describe('a written tool grant', () => {
  it('may say off as text or as the false that YAML 1.1 makes of it', () => {
    expect(readToolGrant('off')).toBe('off');
    expect(readToolGrant(false)).toBe('off');
    expect(readToolGrant({ mode: false, deny: true })).toEqual({ mode: 'off', deny: true });
  });

  it.each([
    true,
    'on',
    'yes',
    'OFF',
    null,
    undefined,
    0,
    {},
    { mode: 'read', deny: true },
    { mode: 'off' },
  ])('is refused when it is %j', (written) => {
    expect(() => readToolGrant(written)).toThrow('Invalid input');
  });
});
