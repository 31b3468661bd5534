import { startTcpProxy, type TcpProxy } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { noticingLoss, unhurried } from './connection-settings.ts';
import { platformMigrations } from './platform-migrations.ts';
import { openServiceDatabase, type ServiceDatabase } from './service-database.ts';

const ANSWERED_WITHIN_MS = 1_500;

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
});
afterAll(() => test?.stop());

describe('the connections of a service to its database', () => {
  it('are missed by the server within seconds when the machine at their other end is gone', async () => {
    const { rows } = await test.platform.database('identity').pool.query<{ seconds: number }>(
      `select sum(seconds)::int as seconds from (
         select setting::int as seconds from pg_settings where name = 'tcp_keepalives_idle'
         union all
         select (a.setting::int * b.setting::int) from pg_settings a, pg_settings b
         where a.name = 'tcp_keepalives_interval' and b.name = 'tcp_keepalives_count') as parts`,
    );
    // Two hours, where nobody says otherwise.
    expect(rows[0]?.seconds).toBeGreaterThan(0);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(15);
    const { rows: unread } = await test.platform
      .database('identity')
      .pool.query<{ ms: number }>(
        `select setting::int as ms from pg_settings where name = 'tcp_user_timeout'`,
      );
    // A quarter of an hour, where an answer was on its way.
    expect(unread[0]?.ms).toBeGreaterThan(0);
    expect(unread[0]?.ms).toBeLessThanOrEqual(15_000);
  });

  it('do not wait for ever for an answer unless told otherwise', () => {
    expect(noticingLoss().query_timeout).toBeLessThanOrEqual(60_000);
    expect(test.platform.database('identity').pool.options).toMatchObject({
      keepAlive: true,
      query_timeout: noticingLoss().query_timeout,
    });
  });
});

describe('a database that vanishes without a word', () => {
  let wire: TcpProxy;
  let database: ServiceDatabase;
  beforeAll(async () => {
    const url = new URL(test.ownerUrl);
    wire = await startTcpProxy(Number(url.port));
    url.port = String(wire.port);
    const { log } = test.platform;
    database = openServiceDatabase('identity', url.href, log, 1, ANSWERED_WITHIN_MS);
  });
  afterAll(async () => {
    wire?.thaw();
    await database?.close();
    await wire?.stop();
  });

  it('fails the query that it does not answer, and serves the next one when it is back', async () => {
    await database.pool.query('select 1');
    wire.freeze();
    await expect(database.pool.query('select 2')).rejects.toThrow('Query read timeout');
    wire.thaw();
    expect((await database.pool.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
  });

  it('undoes the transaction that it did not answer', async () => {
    const lost = database.transaction(async (client) => {
      await client.query('create table half_done ()');
      wire.freeze();
      await client.query('select 1');
    });
    await expect(lost).rejects.toThrow('Query read timeout');
    wire.thaw();
    const { rows } = await database.transaction((client) =>
      client.query(`select to_regclass('half_done') as found`),
    );
    expect(rows).toEqual([{ found: null }]);
  });

  it('may take its time over what is said to take long', async () => {
    const { rows } = await database.pool.query(
      unhurried(`select pg_sleep($1), 'done' as how`, [(1.5 * ANSWERED_WITHIN_MS) / 1000]),
    );
    expect(rows).toMatchObject([{ how: 'done' }]);
  });
});
