import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contractsIn } from '../evolution/migration-step.ts';
import { migrationFiles, releases } from '../evolution/releases.ts';
import { exists, textOf } from './repo.ts';

const released = releases();
const files = migrationFiles();

interface Step {
  readonly path: string;
  readonly text: string;
}

const isContract = ({ path }: Step): boolean => path.endsWith('.contract.sql');
const numberOf = (path: string): number => Number(basename(path).slice(0, 4));
const isReleased = (path: string): boolean => released.some((one) => one.migrations.has(path));

/** What is wrong with a step, given which files each release has. */
async function wrongWith(
  step: Step,
  releasedFiles: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<readonly string[]> {
  const contracts = await contractsIn(step.text);
  if (!isContract(step)) return contracts.map((what) => `contracts: ${what}`);
  const [, expanded = '', release = ''] =
    /^-- Contract of (\d{4}_\w+\.sql), released (\d{4}-\d{2}-\d{2})\./.exec(step.text) ?? [];
  if (expanded === '')
    return ['its first line does not say which released file it is the contract of'];
  return releasedFiles.get(release)?.has(`${dirname(step.path)}/${expanded}`) === true
    ? []
    : [`release ${release} has no ${expanded}`];
}

const filesOfReleases = new Map(
  released.map(({ name, migrations }) => [name, new Set(migrations.keys())] as const),
);

describe('migrations', () => {
  test('are numbered files of a folder, and say why in their first line', () => {
    expect(files.length).toBeGreaterThan(10);
    for (const path of files) {
      expect(basename(path)).toMatch(/^\d{4}_[a-z0-9_]+(\.contract)?\.sql$/);
      expect(textOf(path)).toMatch(/^-- [A-Z].{20,}\n/);
    }
    const numbers = files.map((path) => `${dirname(path)}/${numberOf(path)}`);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test.each(files.filter((path) => !isReleased(path)))(
    '%s is one step, and the step it says',
    async (path) => {
      expect(await wrongWith({ path, text: textOf(path) }, filesOfReleases)).toEqual([]);
    },
  );

  test('come after every file of their folder that was released', () => {
    const late = files.filter(
      (path) =>
        !isReleased(path) &&
        files.some(
          (other) =>
            dirname(other) === dirname(path) &&
            isReleased(other) &&
            numberOf(other) > numberOf(path),
        ),
    );
    expect(late).toEqual([]);
  });

  test('were released at least once', () => {
    expect(released.length).toBeGreaterThan(0);
    for (const { migrations } of released) expect(migrations.size).toBeGreaterThan(10);
  });

  test.each(released)('are as release $name has them', ({ migrations }) => {
    for (const [path, sha256] of migrations) {
      expect(exists(path), `${path} was released and is gone`).toBe(true);
      const now = createHash('sha256').update(textOf(path)).digest('hex');
      expect(now, `${path} was released and is edited: add a new file instead`).toBe(sha256);
    }
  });
});

describe('a contract step', () => {
  const path = 'services/identity/migrations/0009_names_go.contract.sql';
  const has = (...names: string[]): ReadonlyMap<string, ReadonlySet<string>> =>
    new Map([['2026-11-21', new Set(names.map((name) => `services/identity/migrations/${name}`))]]);
  const drop = 'alter table users drop column user_name';

  test('names the released file that expanded before it', async () => {
    const text = `-- Contract of 0005_titles.sql, released 2026-11-21. Nobody reads names any more.\n${drop}`;
    expect(await wrongWith({ path, text }, has('0005_titles.sql'))).toEqual([]);
    expect(await wrongWith({ path, text }, has())).toHaveLength(1);
    expect(await wrongWith({ path, text: drop }, has('0005_titles.sql'))).toHaveLength(1);
  });

  test('does not go by the name of an expand step', async () => {
    const hidden = { path: path.replace('.contract', ''), text: drop };
    expect(await wrongWith(hidden, has())).toEqual(['contracts: AT_DropColumn']);
  });
});

describe('the two kinds of steps', () => {
  test.each([
    'create table {{schema}}.book (id int primary key, name text not null unique); grant select on book to {{role}}',
    `create table book (id int); insert into book values (1); alter table book add constraint c check (id > 0);
       create unique index i on book (id); create trigger t before update on book for each row execute function f()`,
    'alter table book add column title text',
    `alter table book add column kind text not null default 'novel'`,
    `alter table book add column tags jsonb not null default '[]'::jsonb`,
    'alter table book add column pages int; update book set pages = 0',
    'create index i on book (name)',
    'create view titles as select name from book',
    'alter table book add constraint c check (pages > 0) not valid',
    'alter table book alter column pages set default 1',
    'create or replace function f() returns int language sql as $$ select 1 $$',
    'grant select on book to {{role}}',
    `comment on table book is 'All of them.'`,
    'do $$ begin if true then grant the_owner to current_user; end if; end $$',
  ])('expands: %s', async (sql) => {
    expect(await contractsIn(sql)).toEqual([]);
  });

  test.each([
    'drop table book',
    'create table if not exists book (); alter table book drop column name',
    'create or replace view titles as select id from book',
    'alter table book drop column name',
    'alter table book rename column name to title',
    'alter table book rename to books',
    'alter table book alter column id type bigint',
    'alter table book alter column name set not null',
    'alter table book alter column name drop not null',
    'alter table book alter column name drop default',
    'alter table book add column title text not null',
    'alter table book add column id uuid not null default gen_random_uuid()',
    'alter table book add column isbn text unique',
    'alter table book add constraint c check (pages > 0)',
    'alter table book validate constraint c',
    'create unique index i on book (name)',
    'create trigger t before update on book for each row execute function f()',
    'revoke select on book from {{role}}',
    'update book set name = upper(name)',
    'alter table book add column title text; update book set title = name, name = null',
    'insert into book values (1)',
    'delete from book',
    'truncate book',
    'drop function f()',
    'do $$ begin drop table book; end $$',
    `do $$ begin execute 'drop table book'; end $$`,
    'grant the_owner to gatehouse_shelf',
    'set search_path = other',
  ])('contracts: %s', async (sql) => {
    expect(await contractsIn(sql)).not.toEqual([]);
  });
});
