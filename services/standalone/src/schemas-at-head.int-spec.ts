import { createLogger, migrate, openServiceDatabase } from '@gatehouse/platform';
import { freshDatabase } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrationPlans, roleOf } from './schemas.ts';

const plans = migrationPlans('only-in-tests');
const roles = plans.map(({ role }) => role);
const schemas = plans.map(({ schema }) => schema);

let database: Awaited<ReturnType<typeof freshDatabase>>;
let owner: ReturnType<typeof openServiceDatabase>;

beforeAll(async () => {
  database = await freshDatabase();
  await migrate(database.url, plans);
  owner = openServiceDatabase(
    'audit',
    database.url,
    createLogger({ service: 'test', level: 'silent' }),
    1,
  );
});
afterAll(async () => {
  await owner.close();
  await database.drop();
});

async function pairs(sql: string): Promise<string[]> {
  const { rows } = await owner.pool.query<{ pair: string }>(`select r.rolname || ' ' || ${sql}`, [
    roles,
    schemas,
  ]);
  return rows.map(({ pair }) => pair).toSorted();
}

describe('the database of all services', () => {
  test('gives each its own role and its own schema, and nobody a look into the schema of another', async () => {
    expect(new Set(roles).size).toBe(plans.length);
    expect(plans.length).toBeGreaterThanOrEqual(6);
    const own = schemas.map((schema) => `${roleOf(schema)} ${schema}`).toSorted();
    expect(
      await pairs(`n.nspname as pair from pg_roles r, pg_namespace n
        where r.rolname = any($1) and n.nspname = any($2)
          and (has_schema_privilege(r.oid, n.oid, 'usage') or has_schema_privilege(r.oid, n.oid, 'create'))`),
    ).toEqual(own);
    expect(
      await pairs(`n.nspname as pair from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace
        where r.rolname = any($1) and n.nspname = any($2) and c.relkind in ('r', 'p', 'v', 'm')
          and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
        group by 1, r.rolname, n.nspname`),
    ).toEqual(own);
  });

  test('lets no service make tables, roles or databases, lift a trigger, or become somebody else', async () => {
    expect(
      await pairs(`'may too much' as pair from pg_roles r, pg_namespace n
        where r.rolname = any($1) and n.nspname = any($2) and (r.rolsuper or r.rolcreaterole or r.rolcreatedb
          or r.rolbypassrls or r.rolreplication or has_schema_privilege(r.oid, n.oid, 'create')
          or has_schema_privilege(r.oid, 'public', 'create') or has_database_privilege(r.oid, current_database(), 'create'))`),
    ).toEqual([]);
    expect(
      await pairs(`c.relname as pair from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace
        where r.rolname = any($1) and n.nspname = any($2) and pg_has_role(r.oid, c.relowner, 'member')`),
    ).toEqual([]);
  });
});
