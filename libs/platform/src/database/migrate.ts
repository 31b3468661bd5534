import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** What to bring to head for one service: a schema, a role that may log in with `password`, and folders of numbered SQL applied in the order given. */
export interface MigrationPlan {
  readonly schema: string;
  readonly role: string;
  readonly password: string;
  readonly folders: readonly string[];
}

// Any constant will do: it keeps two processes that start together from migrating at once.
const MIGRATION_LOCK = 7_203_114;

/**
 * Brings every plan to head, as the database's owner. Files are `NNNN_name.sql`, applied once each in a transaction of
 * their own, forward only; `{{schema}}` and `{{role}}` stand for the plan's. A file that changed after it was applied
 * is an error. Answers the names of what was applied now.
 */
export async function migrate(
  ownerUrl: string,
  plans: readonly MigrationPlan[],
): Promise<readonly string[]> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'gatehouse-migrate',
  });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(`create schema if not exists gatehouse;
      create table if not exists gatehouse.migration (
        schema_name text not null, folder text not null, file text not null, sha256 text not null,
        applied_at timestamptz not null default now(), primary key (schema_name, folder, file))`);
    const applied: string[] = [];
    for (const plan of plans) applied.push(...(await migrateOne(client, plan)));
    return applied;
  } finally {
    await client.end();
  }
}

async function migrateOne(client: pg.Client, plan: MigrationPlan): Promise<string[]> {
  await retryWhenRaced(() => prepareRole(client, plan));
  const applied: string[] = [];
  for (const folder of plan.folders) {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted();
    for (const file of files) {
      if (await applyFile(client, plan, folder, file)) applied.push(`${plan.schema}/${file}`);
    }
  }
  return applied;
}

async function prepareRole(client: pg.Client, plan: MigrationPlan): Promise<void> {
  const [role, schema] = [pg.escapeIdentifier(plan.role), pg.escapeIdentifier(plan.schema)];
  const known = await client.query('select 1 from pg_roles where rolname = $1', [plan.role]);
  if (known.rowCount === 0)
    await client.query(`create role ${role} login nosuperuser nocreatedb nocreaterole`);
  await client.query(`alter role ${role} password ${pg.escapeLiteral(plan.password)}`);
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`grant usage on schema ${schema} to ${role}`);
}

// Roles belong to the whole server, the lock only to this database: another database's migration may be at the same role.
async function retryWhenRaced(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const raced = ['42710', '23505', 'XX000'].includes((error as pg.DatabaseError).code ?? '');
      if (!raced || attempt === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

async function applyFile(
  client: pg.Client,
  plan: MigrationPlan,
  folder: string,
  file: string,
): Promise<boolean> {
  const text = await readFile(join(folder, file), 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  // The last two path segments tell a service's own folder from the platform's, wherever the repo lies.
  const origin = folder.split(/[\\/]/).filter(Boolean).slice(-2).join('/');
  const key = [plan.schema, origin, file];
  const before = await client.query<{ sha256: string }>(
    'select sha256 from gatehouse.migration where schema_name = $1 and folder = $2 and file = $3',
    key,
  );
  if (before.rows[0] !== undefined) {
    if (before.rows[0].sha256 === sha256) return false;
    throw new Error(
      `migration ${plan.schema}/${file} was changed after it was applied: add a new file instead`,
    );
  }
  const sql = text.replaceAll('{{schema}}', plan.schema).replaceAll('{{role}}', plan.role);
  await client.query('begin');
  try {
    await client.query(`set local search_path = ${pg.escapeIdentifier(plan.schema)}`);
    await client.query(sql);
    await client.query(
      'insert into gatehouse.migration (schema_name, folder, file, sha256) values ($1, $2, $3, $4)',
      [...key, sha256],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration ${plan.schema}/${file} failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return true;
}
