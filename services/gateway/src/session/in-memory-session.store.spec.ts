import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { endpointOf } from '../entrance/endpoint.ts';
import { InMemorySessionStore } from './in-memory-session.store.ts';
import { Session } from './session.ts';

const overloaded = expect.objectContaining({ code: 'overloaded' });
const principal = (id: string) => ({ kind: 'agent', id }) as const;
const session = (id: string, owner: string): Session =>
  new Session({
    id,
    principal: principal(owner),
    keyId: 'k',
    endpoint: endpointOf('/mcp')!,
    client: { name: 'c', version: '1' },
    transport: new WebStandardStreamableHTTPServerTransport(),
    announced: '',
    now: 0,
  });

it('finds sessions by id and by principal until they are removed', () => {
  const store = new InMemorySessionStore({ maxSessions: 10, maxSessionsPerPrincipal: 10 });
  const [one, two] = [session('1', 'a'), session('2', 'a')];
  store.add(one);
  store.add(two);
  expect(store.find('1')).toBe(one);
  expect([...store.of('agent:a')]).toEqual([one, two]);
  store.remove(one);
  store.remove(one);
  expect(store.find('1')).toBeUndefined();
  expect([...store.of('agent:a')]).toEqual([two]);
});

it('has room for so many of one principal and so many together', () => {
  const store = new InMemorySessionStore({ maxSessions: 3, maxSessionsPerPrincipal: 2 });
  store.add(session('1', 'a'));
  store.add(session('2', 'a'));
  expect(() => store.assertRoomFor(principal('a'))).toThrow(overloaded);
  expect(() => store.assertRoomFor(principal('b'))).not.toThrow();
  store.add(session('3', 'b'));
  expect(() => store.assertRoomFor(principal('c'))).toThrow(overloaded);
});

it('names a session in records by a digest that does not give its id away', () => {
  const { ref } = session('secret', 'a');
  expect(ref).toMatch(/^[0-9a-f]{16}$/);
  expect(session('secret', 'b').ref).toBe(ref);
});

it('takes another kind of principal, another id and another endpoint for strangers', () => {
  const own = session('1', 'a');
  const mcp = endpointOf('/mcp')!;
  expect(own.belongsTo(principal('a'), mcp)).toBe(true);
  expect(own.belongsTo({ kind: 'user', id: 'a' }, mcp)).toBe(false);
  expect(own.belongsTo(principal('b'), mcp)).toBe(false);
  expect(own.belongsTo(principal('a'), endpointOf('/s/x/mcp')!)).toBe(false);
});
