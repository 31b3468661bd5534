import { createLogger } from '@gatehouse/platform';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post, startAdmin, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
const lines: string[] = [];
const destination = { write: (line: string) => void lines.push(line) };
beforeAll(async () => {
  admin = await startAdmin({
    log: createLogger({ service: 'test', level: 'info', destination }),
  });
});
afterAll(async () => {
  await admin.stop();
});

const suspend = (slug: string): string =>
  `mutation { suspendServer(input: { slug: "${slug}", reason: "x" }) { server { slug } } }`;

describe('an error', () => {
  test('of an owner keeps its code and its sentence, and not what is for the log', async () => {
    const { status, errors, body } = await admin.ask(suspend('nowhere'));
    expect(status).toBe(200);
    expect(errors).toEqual([
      {
        message: 'There is no such server in the registry.',
        locations: [{ line: 1, column: 12 }],
        path: ['suspendServer'],
        extensions: {
          code: 'server-not-found',
          status: 404,
          correlationId: expect.stringMatching(/^[\da-f-]{36}$/),
        },
      },
    ]);
    expect(JSON.stringify(body)).not.toContain('not for callers');
  });

  test('that is a bug over there says nothing but its correlation id', async () => {
    const { errors, body } = await admin.ask(suspend('broken'));
    expect(errors[0]?.extensions).toMatchObject({ code: 'internal', status: 500 });
    expect(JSON.stringify(body)).not.toContain('secret inside');
  });

  test('that is a bug over here says nothing but its correlation id, and spares the rest of the answer', async () => {
    const { pool } = admin.test.platform.database('admin');
    const query = '{ gate { bundleNumber } viewer { id } server(slug: "a") { slug } }';
    expect((await admin.ask(query)).errors).toEqual([]);
    const { default: pg } = await import('pg');
    const owner = new pg.Client({ connectionString: admin.test.ownerUrl });
    await owner.connect();
    try {
      await owner.query('revoke select on admin.server from gatehouse_admin');
      await expect(pool.query('select 1 from server')).rejects.toThrow('permission denied');
      const { status, data, errors, body } = await admin.ask(query);
      expect(status).toBe(200);
      expect(data).toEqual({
        gate: { bundleNumber: null },
        viewer: { id: 'administrator' },
        server: null,
      });
      expect(errors).toHaveLength(1);
      expect(errors[0]?.message).toBe(
        'Something failed inside the gate; the correlation id names it in the logs.',
      );
      expect(errors[0]?.extensions).toMatchObject({ code: 'internal', status: 500 });
      expect(JSON.stringify(body)).not.toMatch(/permission|table|select/);
    } finally {
      await owner.query('grant select on admin.server to gatehouse_admin');
      await owner.end();
    }
  });

  test('of a database that takes no connections is named as such, and spares what needs none', async () => {
    const { default: pg } = await import('pg');
    const owner = new pg.Client({ connectionString: admin.test.ownerUrl });
    await owner.connect();
    try {
      await owner.query('alter role gatehouse_admin connection limit 0');
      await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gatehouse_admin'`,
      );
      const { data, errors } = await admin.ask('{ viewer { id } server(slug: "a") { slug } }');
      expect(data).toEqual({ viewer: { id: 'administrator' }, server: null });
      expect(errors).toHaveLength(1);
      expect(errors[0]?.extensions).toMatchObject({ code: 'service-unavailable', status: 503 });
      expect(errors[0]?.message).toContain('database does not serve just now');
    } finally {
      await owner.query('alter role gatehouse_admin connection limit -1');
      await owner.end();
    }
    const again = await admin.ask('{ server(slug: "a") { slug } }');
    expect(again.errors).toEqual([]);
  });

  test('of an owner that cannot be reached is named as such', async () => {
    admin.test.serveAt('http://127.0.0.1:9');
    try {
      const { errors } = await admin.ask(suspend('files'));
      expect(errors[0]?.extensions).toMatchObject({ code: 'service-unavailable', status: 503 });
      expect(errors[0]?.message).toBe('The service that owns this cannot be reached.');
    } finally {
      admin.test.serveAt(admin.hosted.url);
    }
  });

  test.each([
    ['away', 502, 'upstream-unavailable'],
    ['late', 504, 'upstream-timeout'],
  ])(
    'of a server that is %s has the status %s, whatever MCP answers then',
    async (slug, status, code) => {
      const { errors } = await admin.ask(
        `mutation { fetchCatalogue(input: { slug: "${slug}" }) { toolCount } }`,
      );
      expect(errors[0]?.extensions).toMatchObject({ code, status });
    },
  );
});

describe('an input that does not fit', () => {
  const server = (transport: string, slug = 'a') =>
    `mutation { submitServer(input: { slug: "${slug}", name: "a", transport: ${transport} }) { server { slug } } }`;
  const stdio = (name: string) =>
    server(`{ stdio: { command: "a", args: [], env: [{ name: "${name}", value: "" }] } }`);
  const role = (name: string, tool: string) =>
    `mutation { defineRole(input: { name: "${name}", connectors: [
      { slug: "a", tools: [{ tool: "${tool}", mode: READ }] }] }) { bundleNumber } }`;
  const user = (userName: string, email: string) =>
    `mutation { provisionUser(input: { userName: "${userName}", displayName: "A", email: "${email}" }) { user { id } } }`;

  test.each([
    [user('', 'a@a.example'), 'userName: must have at least 1 character'],
    [
      user('', 'nobody'),
      'userName: must have at least 1 character; email: must be an email address',
    ],
    [
      server('{ streamableHttp: { url: "ftp://x" } }'),
      'transport.streamableHttp.url: must be a URL that begins with http:// or https://',
    ],
    [stdio('1A'), 'transport.stdio.env.1A: is not a name that is allowed here'],
    [
      server('{ streamableHttp: { url: "http://x" } }', 'A'),
      'slug: must be up to 31 lower-case letters, digits and single hyphens',
    ],
    [
      role('A', 'a'),
      'name: must be lower-case letters, digits and hyphens, starting with a letter',
    ],
    [role('a', ''), 'connectors.0.tools.: is not a name that is allowed here'],
  ])('%s is refused by the names that its sender wrote', async (mutation, sentence) => {
    const { errors } = await admin.ask(mutation);
    expect(errors.map(({ message, extensions }) => [message, extensions['code']])).toEqual([
      [sentence, 'request-invalid'],
    ]);
  });
});

describe('a request that is refused', () => {
  const broken = '{ gate {';
  test.each<[string, string, () => Promise<unknown>]>([
    ['its document', 'request-invalid', () => admin.ask(broken)],
    ['its key', 'token-malformed', () => admin.ask('{ viewer { id } }', {}, 'gh_garbage')],
    [
      'its body',
      'json-malformed',
      () => post(admin.hosted.url, '{', admin.tokens['administrator']),
    ],
    ['what it asks for', 'server-not-found', () => admin.ask(suspend('nowhere'))],
  ])('for %s can be found in the log by method and path', async (_, code, send) => {
    lines.length = 0;
    await send();
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toContainEqual(
      expect.objectContaining({
        msg: 'request refused',
        code,
        method: 'POST',
        path: '/graphql',
        correlationId: expect.any(String),
      }),
    );
  });

  test('for its method is told which one is taken', async () => {
    const response = await fetch(`${admin.hosted.url}/graphql?query=%7Bviewer%7D`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(lines.at(-1)).toContain('"method":"GET","path":"/graphql"');
  });
});
