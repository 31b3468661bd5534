import { setTimeout as sleep } from 'node:timers/promises';
import { freshDatabase, type FreshDatabase } from '@gatehouse/testing';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { openServiceDatabase, type ServiceDatabase } from './service-database.ts';

let fresh: FreshDatabase;
let database: ServiceDatabase;
beforeEach(async () => {
  fresh = await freshDatabase();
  const log = createLogger({ service: 'test', level: 'silent' });
  database = openServiceDatabase('audit', fresh.url, log);
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function terminate(pid: number): Promise<void> {
  const client = new Client({ connectionString: fresh.url });
  await client.connect();
  await client.query('select pg_terminate_backend($1, 5000)', [pid]);
  await client.end();
}

describe('the database of a service', () => {
  it('fails a transaction whose connection is lost between two queries, and goes on by another', async () => {
    const work = database.transaction(async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      await terminate(rows[0]!.pid);
      // The loss is heard while nothing is asked: unhandled, it would end the process.
      await sleep(50);
      await client.query('select 1');
    });
    await expect(work).rejects.toThrow();
    expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
