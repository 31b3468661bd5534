import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin();
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
});
