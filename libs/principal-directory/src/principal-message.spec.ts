import { describe, expect, it } from 'vitest';
import { parsePrincipalMessage, principalKey } from './index.ts';

const group = { kind: 'group', id: 'g-1', name: 'Finance', roles: ['clerk'] };
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('a message of the principals state topic', () => {
  it('carries an entity, or with no value its end', () => {
    expect(parsePrincipalMessage('group:g-1', bytes(group))).toEqual(group);
    expect(parsePrincipalMessage('group:g-1', null)).toBeNull();
  });

  it('has a key of kind and id', () => {
    expect(principalKey({ kind: 'agent', id: 'a:1' })).toBe('agent:a:1');
  });

  it.each([
    ['has no key', null, bytes(group)],
    ['has a key without a kind', 'g-1', bytes(group)],
    ['has a key of an unknown kind', 'robot:g-1', null],
    ['has a key without an id', 'group:', null],
    ['speaks of another entity than its key', 'group:g-2', bytes(group)],
    ['speaks of another kind than its key', 'user:g-1', bytes(group)],
    ['has a field that nobody knows', 'group:g-1', bytes({ ...group, active: true })],
    ['lacks a field', 'group:g-1', bytes({ ...group, roles: undefined })],
    ['is cut short', 'group:g-1', bytes(group).subarray(0, 20)],
    ['is empty', 'group:g-1', Buffer.alloc(0)],
    ['is not UTF-8', 'group:g-1', Buffer.from([0x22, 0xff, 0x22])],
  ])('can never be applied when it %s', (_what, key, buffer) => {
    expect(() => parsePrincipalMessage(key, buffer)).toThrow(Error);
  });
});
