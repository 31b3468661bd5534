import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, type MigrationPlan } from './migrate.ts';
import { platformMigrations } from './platform-migrations.ts';

let database: FreshDatabase;
let folder: string;

beforeEach(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-sql-'));
});

afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const plan = (over: Partial<MigrationPlan> = {}): MigrationPlan => ({
  schema: 'shelf',
  role: 'gatehouse_shelf',
  password: 'only-in-tests',
  folders: [folder],
  ...over,
});

const sql = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

async function query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  it('apply in order of number, once each, and later ones on top', async () => {
    await sql('0002_more.sql', 'alter table book add column title text');
    await sql('0001_book.sql', 'create table book (id int); grant select on book to {{role}}');
    expect((await migrate(database.url, [plan()])).applied).toEqual([
      'shelf/0001_book.sql',
      'shelf/0002_more.sql',
    ]);
    expect((await migrate(database.url, [plan()])).applied).toEqual([]);
    await sql('0003_last.sql', 'alter table {{schema}}.book add column year int');
    expect((await migrate(database.url, [plan()])).applied).toEqual(['shelf/0003_last.sql']);
    expect(await query('select id, title, year from shelf.book')).toEqual([]);
  });

  it('refuse a file that changed after it was applied', async () => {
    await sql('0001_book.sql', 'create table book (id int)');
    await migrate(database.url, [plan()]);
    await sql('0001_book.sql', 'create table book (id bigint)');
    await expect(migrate(database.url, [plan()])).rejects.toThrow(
      /0001_book.sql was changed after it was applied/,
    );
  });

  it('leave nothing of a file that fails, and keep what came before it', async () => {
    await sql('0001_book.sql', 'create table book (id int)');
    await sql('0002_bad.sql', 'create table half (id int); select nonsense');
    await expect(migrate(database.url, [plan()])).rejects.toThrow(/shelf\/0002_bad.sql failed/);
    expect(
      await query(
        `select to_regclass('shelf.book') is not null as book, to_regclass('shelf.half') as half`,
      ),
    ).toEqual([{ book: true, half: null }]);
  });

  it('may be run by several processes at once', async () => {
    await sql('0001_book.sql', 'create table book (id int)');
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => migrate(database.url, [plan()])),
    );
    expect(runs.flatMap(({ applied }) => applied)).toEqual(['shelf/0001_book.sql']);
  });

  it('give a role its own schema and no other', async () => {
    await migrate(database.url, [
      plan({
        schema: 'identity',
        role: 'gatehouse_identity',
        folders: [platformMigrations.eventStore],
      }),
      plan({
        schema: 'policy',
        role: 'gatehouse_policy',
        folders: [platformMigrations.eventStore],
      }),
    ]);
    const url = new URL(database.url);
    url.username = 'gatehouse_identity';
    url.password = 'only-in-tests';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await expect(client.query('select * from identity.event')).resolves.toMatchObject({ rows: [] });
    await expect(client.query('select * from policy.event')).rejects.toThrow(
      /permission denied for schema policy/,
    );
    await expect(client.query('create table identity.mine (id int)')).rejects.toThrow(
      /permission denied/,
    );
    await client.end();
  });
});
