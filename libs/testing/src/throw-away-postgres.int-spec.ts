import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { freshDatabase } from './fresh-database.ts';
import { startThrowAwayPostgres } from './throw-away-postgres.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('a throw-away PostgreSQL', () => {
  it('keeps what was committed through an immediate stop and a restart, then goes', async () => {
    const postgres = await startThrowAwayPostgres();
    try {
      const url = await postgres.createDatabase();
      await query(url, 'create table kept (n int); insert into kept values (7)');
      await postgres.stopImmediately();
      await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
      await postgres.restart();
      expect(await query(url, 'select n from kept')).toEqual([{ n: 7 }]);
    } finally {
      await postgres.stop();
    }
    await expect(query(postgres.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('hands every test file a database of its own on the shared server', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    await query(one.url, 'create table here (n int)');
    await expect(query(other.url, 'select * from here')).rejects.toThrow('does not exist');
    await Promise.all([one.drop(), other.drop()]);
    await expect(query(one.url, 'select 1')).rejects.toThrow('does not exist');
  });
});
