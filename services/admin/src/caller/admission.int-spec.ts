import { topics } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post, startAdmin, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin({ config: { maxBodyBytes: 1024 } });
});
afterAll(async () => {
  await admin.stop();
});

const QUERY = '{ gate { bundleNumber } }';
const MUTATION = 'mutation { createGroup(input: { displayName: "a" }) { group { id } } }';

describe('who is let in', () => {
  test('is told who they are', async () => {
    const { status, body } = await admin.ask('{ viewer { kind id name roles management } }');
    expect(body).toEqual({
      data: {
        viewer: {
          kind: 'USER',
          id: 'administrator',
          name: 'administrator',
          roles: ['admin'],
          management: 'ADMINISTER',
        },
      },
    });
    expect(status).toBe(200);
  });

  test.each<[string, string, string | undefined]>([
    ['administrator', QUERY, undefined],
    ['administrator', MUTATION, undefined],
    ['administrator', '{ __schema { queryType { name } } }', undefined],
    ['observer', QUERY, undefined],
    ['observer', MUTATION, 'management-denied'],
    ['observer', '{ revealArguments(id: "a") { arguments } }', 'management-denied'],
    ['observer', '{ __schema { queryType { name } } }', 'management-denied'],
    ['stranger', '{ viewer { management } }', undefined],
    ['stranger', QUERY, 'management-denied'],
    ['stranger', MUTATION, 'management-denied'],
    ['stranger', '{ __type(name: "Key") { name } }', 'management-denied'],
  ])('%s sends %s and is answered %s', async (who, query, code) => {
    const { status, data, errors } = await admin.ask(query, {}, admin.tokens[who]);
    expect(errors.map(({ extensions }) => extensions['code'])).toEqual(code ? [code] : []);
    expect(status).toBe(code ? 403 : 200);
    expect(data === null).toBe(code !== undefined);
  });

  test('learns no names by guessing: who nearly hits one is not helped', async () => {
    const { status, errors } = await admin.ask('{ gates { id } }', {}, admin.tokens['stranger']);
    expect(status).toBe(400);
    expect(errors.map(({ message }) => message)).toEqual([
      'Cannot query field "gates" on type "Query".',
    ]);
  });

  test('loses it with the role, at the next request', async () => {
    const { bus } = admin.test.platform;
    const ask = () => admin.ask(QUERY, {}, admin.tokens['observer']);
    expect((await ask()).status).toBe(200);
    const roles = [{ name: 'admin', description: '', management: 'administer', connectors: [] }];
    const value = Buffer.from(JSON.stringify({ number: 2, roles }));
    await bus.publish(topics.policyState, [{ key: 'bundle', value, headers: { position: '2' } }]);
    await eventually(async () => expect((await ask()).status).toBe(403));
    // An older bundle that comes again changes nothing back.
    const old = [...roles, { ...roles[0], name: 'viewer', management: 'observe' }];
    const again = Buffer.from(JSON.stringify({ number: 1, roles: old }));
    await bus.publish(topics.policyState, [
      { key: 'bundle', value: again, headers: { position: '1' } },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await ask()).status).toBe(403);
  });
});

describe('who is not let in', () => {
  const wrongSecret = (): string => {
    const token = admin.tokens['administrator'] ?? '';
    return `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`;
  };

  test.each<[string, () => string | undefined, number, string]>([
    ['nobody in particular', () => undefined, 401, 'authentication-required'],
    ['garbage', () => 'gh_garbage', 401, 'token-malformed'],
    ['a token with a letter changed', wrongSecret, 401, 'token-malformed'],
    ['somebody who was locked out', () => admin.tokens['leaver'], 401, 'token-refused'],
  ])('%s gets a problem document', async (_, token, status, code) => {
    const answer = await post(admin.hosted.url, { query: QUERY }, token());
    expect(answer.status).toBe(status);
    expect(answer.contentType).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code, status, correlationId: expect.any(String) });
    expect(answer.body).not.toHaveProperty('internal');
  });

  test('learns of no problem in the body: it is not even read', async () => {
    const answer = await post(admin.hosted.url, 'x'.repeat(100_000));
    expect(answer.body.code).toBe('authentication-required');
  });
});

describe('who is not in the topics any more', () => {
  test('is not let in once the database was restored to another time', async () => {
    const restored = await startAdmin();
    const pool = new pg.Pool({ connectionString: restored.test.ownerUrl });
    const statusOf = async (who: string): Promise<number> =>
      (await restored.ask(QUERY, {}, restored.tokens[who])).status;
    expect([await statusOf('observer'), await statusOf('administrator')]).toEqual([200, 200]);
    await restored.fallSilent();
    await pool.query(`delete from bus.message where key = 'user:observer' or key like '~beat-%'`);
    // As if fewer messages had been written: the places where readers stood are not there any more.
    await pool.query(
      `update bus.topic_partition p set next_offset = coalesce((select max("offset") + 1 from bus.message m
         where m.topic = p.topic and m.partition = p.partition), 0) where topic like 'gatehouse.state.%'`,
    );
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gatehouse_bus' and datname = current_database()`,
    );
    await eventually(async () => expect(await statusOf('observer')).toBe(503));
    await restored.speak();
    expect([await statusOf('observer'), await statusOf('administrator')]).toEqual([401, 200]);
    await pool.end();
    await restored.stop();
  });
});

describe('what is not taken', () => {
  const administrator = (): string => admin.tokens['administrator'] ?? '';

  test('a GET, which a link or an image could send', async () => {
    const url = `${admin.hosted.url}/graphql?query=${encodeURIComponent(QUERY)}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${administrator()}` } });
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({ code: 'http-method-unsupported' });
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/graphql',
    'application/jsonp',
  ])('a body of %s, which a form of another origin could send', async (type) => {
    const body = JSON.stringify({ query: QUERY });
    const headers = { 'content-type': type };
    const answer = await post(admin.hosted.url, body, administrator(), headers);
    expect([answer.status, answer.body.code]).toEqual([415, 'content-type-unsupported']);
  });

  test.each([
    ['broken JSON', '{"query":', 400, 'json-malformed'],
    ['no body', '', 400, 'json-malformed'],
    ['a body over the limit', JSON.stringify({ query: ' '.repeat(2000) }), 413, 'body-too-large'],
  ])('%s', async (_, body, status, code) => {
    const answer = await post(admin.hosted.url, body, administrator());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.contentType).toContain('application/problem+json');
  });

  test('a page to try queries in: there is none', async () => {
    const headers = { authorization: `Bearer ${administrator()}`, accept: 'text/html' };
    const response = await fetch(`${admin.hosted.url}/graphiql`, { headers });
    expect(response.status).toBe(404);
  });
});

test('refuses everybody until it has read who may do what', async () => {
  const empty = await startAdmin({ withoutState: true });
  try {
    const answer = await post(empty.hosted.url, { query: QUERY }, admin.tokens['administrator']);
    expect([answer.status, answer.body.code]).toEqual([503, 'not-ready']);
    expect(empty.test.platform.readiness.pending).toEqual(['admin access state']);
  } finally {
    await empty.stop();
  }
});

test('refuses everybody while it cannot know who may do what, and lets them in again once it can', async () => {
  const cutOff = await startAdmin({ config: { stateMaxAgeMs: 2_000 } });
  try {
    expect((await cutOff.ask(QUERY)).status).toBe(200);
    await cutOff.fallSilent();
    await eventually(async () => {
      const { status, body } = await cutOff.ask(QUERY);
      expect([status, body.code]).toEqual([503, 'state-stale']);
    });
    expect(cutOff.test.platform.readiness.pending).toEqual([
      'admin access state: a beat of identity, policy',
    ]);
    await cutOff.speak();
    expect((await cutOff.ask(QUERY)).status).toBe(200);
  } finally {
    await cutOff.stop();
  }
});
