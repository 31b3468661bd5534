import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freshDatabase, type FreshDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { migrate, type MigrationReport } from './migrate.ts';
import { SchemaClaim } from './schema-claim.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const BOOK = '0001_book.sql';
const EXPAND = '0002_titles.sql';
const CONTRACT = '0003_names_go.contract.sql';

/** A build is the SQL that it brings. */
interface Build {
  readonly folder: string;
  readonly claims: SchemaClaim[];
}

let database: FreshDatabase;
let root: string;
let builds: Build[];
let held: boolean[];

beforeEach(async () => {
  database = await freshDatabase();
  root = await mkdtemp(join(tmpdir(), 'gatehouse-builds-'));
  builds = [];
  held = [];
});

afterEach(async () => {
  for (const claim of builds.flatMap(({ claims }) => claims)) await claim.release();
  await database.drop();
  await rm(root, { recursive: true });
});

const texts: Readonly<Record<string, string>> = {
  [BOOK]: 'create table book (name text); grant select, insert on book to {{role}}',
  [EXPAND]: 'alter table book add column title text',
  [CONTRACT]: 'alter table book drop column name',
};

// Every build lies at the same place in its own root, as a repo does in its image.
async function build(...files: string[]): Promise<Build> {
  const folder = join(await mkdtemp(join(root, 'build-')), 'shelf/migrations');
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeFile(join(folder, file), texts[file] ?? '');
  const made = { folder, claims: [] };
  builds.push(made);
  return made;
}

const migrateBy = ({ folder }: Build, contract = false): Promise<MigrationReport> =>
  migrate(
    database.url,
    [{ schema: 'shelf', role: 'gatehouse_shelf', password: 'only-in-tests', folders: [folder] }],
    { contract },
  );

async function startOf(build: Build): Promise<SchemaClaim> {
  const url = new URL(database.url);
  [url.username, url.password] = ['gatehouse_shelf', 'only-in-tests'];
  const claim = new SchemaClaim(
    { schema: 'shelf', folders: [build.folder] },
    { connectionString: url.href },
    log,
    (now) => held.push(now),
  );
  build.claims.push(claim);
  await claim.take();
  return claim;
}

async function asOwner(sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a schema that two releases share', () => {
  it('is expanded under a running process, and contracted once that has ended', async () => {
    const [first, second] = [await build(BOOK), await build(BOOK, EXPAND, CONTRACT)];
    await migrateBy(first);
    const old = await startOf(first);
    expect(await migrateBy(second)).toEqual({
      applied: [`shelf/${EXPAND}`],
      contractsLeft: [`shelf/${CONTRACT}`],
    });
    await asOwner(`insert into shelf.book (name) values ('as ever')`);
    await startOf(second);
    await expect(migrateBy(second, true)).rejects.toThrow(
      /0003_names_go.contract.sql failed: a process of an older release still runs on the schema shelf/,
    );
    expect(await asOwner('select name from shelf.book')).toEqual([{ name: 'as ever' }]);
    await old.release();
    expect(await migrateBy(second, true)).toEqual({
      applied: [`shelf/${CONTRACT}`],
      contractsLeft: [],
    });
    expect(await asOwner('select * from shelf.book')).toEqual([{ title: null }]);
  });

  it('does not let code start on it that stands on what was taken away, nor migrate it', async () => {
    const [first, second] = [await build(BOOK), await build(BOOK, EXPAND, CONTRACT)];
    await migrateBy(second, true);
    await expect(startOf(first)).rejects.toThrow(
      /this build is older than the database: shelf has seen .*0003_names_go.contract.sql/,
    );
    await expect(migrateBy(first)).rejects.toThrow(/this build is older than the database/);
  });

  it('makes code wait for an expand step, by name, and not for a contract step', async () => {
    const [first, second] = [await build(BOOK), await build(BOOK, EXPAND, CONTRACT)];
    await asOwner(`create role gatehouse_shelf login password 'only-in-tests'`).catch(
      () => undefined,
    );
    await expect(startOf(second)).rejects.toThrow(
      /shelf was not migrated yet: run `gatehouse migrate`/,
    );
    await migrateBy(first);
    await expect(startOf(second)).rejects.toThrow(
      /shelf\/0002_titles.sql was not applied yet: run `gatehouse migrate`/,
    );
    await migrateBy(second);
    await startOf(second);
    expect(held).toEqual([true]);
  });

  it('is held again by a process whose connection was cut', async () => {
    const [first, second] = [await build(BOOK), await build(BOOK, EXPAND, CONTRACT)];
    await migrateBy(second);
    await startOf(first);
    await asOwner(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'gatehouse-claim-shelf'`);
    await eventually(() => expect(held).toEqual([true, false, true]));
    await expect(migrateBy(second, true)).rejects.toThrow(/an older release still runs/);
  });

  it('is held once by a process, however often it is asked for at the same time', async () => {
    const first = await build(BOOK);
    await migrateBy(first);
    const claim = await startOf(first);
    const claims = `from pg_stat_activity
      where datname = current_database() and application_name = 'gatehouse-claim-shelf'`;
    await asOwner(`select pg_terminate_backend(pid) ${claims}`);
    await eventually(() => expect(held.slice(0, 2)).toEqual([true, false]), { everyMs: 5 });
    await Promise.all([claim.take(), claim.take(), claim.take()]);
    await eventually(async () =>
      expect(await asOwner(`select count(*)::int ${claims}`)).toEqual([{ count: 1 }]),
    );
    await claim.release();
    await eventually(async () =>
      expect(await asOwner(`select count(*)::int ${claims}`)).toEqual([{ count: 0 }]),
    );
  });
});
