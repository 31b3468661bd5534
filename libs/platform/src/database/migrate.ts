import pg from 'pg';
import {
  keyOf,
  migrationFiles,
  readMigration,
  refuseWhatIsNewer,
  type MigrationFile,
} from './migration-files.ts';
import { lockOutOlderProcesses } from './schema-claim.ts';

/** What to bring to head for one service: a schema, a role that may log in with `password`, and folders of numbered SQL applied in the order given. */
export interface MigrationPlan {
  readonly schema: string;
  readonly role: string;
  readonly password: string;
  readonly folders: readonly string[];
}

/** What a run of `migrate` did, and what it left for later, as `<schema>/<file>`. */
export interface MigrationReport {
  readonly applied: readonly string[];
  readonly contractsLeft: readonly string[];
}

// Any constant will do: it keeps two processes that start together from migrating at once.
const MIGRATION_LOCK = 7_203_114;

const CONNECTED_WITHIN_MS = 10_000;

/**
 * Brings every plan to head, as the database's owner. Files are `NNNN_name.sql`, applied once each in a transaction of
 * their own, forward only; `{{schema}}` and `{{role}}` stand for the plan's. A file that changed after it was applied
 * is an error. `NNNN_name.contract.sql` takes away what an older release stands on: it is left alone unless `contract`
 * is asked for, and refused while a process runs that does not know it.
 */
export async function migrate(
  ownerUrl: string,
  plans: readonly MigrationPlan[],
  { contract = false }: { readonly contract?: boolean } = {},
): Promise<MigrationReport> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'gatehouse-migrate',
    // Whoever listens there may be no PostgreSQL, and wait for us to say something else.
    connectionTimeoutMillis: CONNECTED_WITHIN_MS,
  });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(`create schema if not exists gatehouse;
      create table if not exists gatehouse.migration (
        schema_name text not null, folder text not null, file text not null, sha256 text not null,
        applied_at timestamptz not null default now(), primary key (schema_name, folder, file))`);
    const reports: MigrationReport[] = [];
    for (const plan of plans) reports.push(await migrateOne(client, plan, contract));
    return {
      applied: reports.flatMap(({ applied }) => applied),
      contractsLeft: reports.flatMap(({ contractsLeft }) => contractsLeft),
    };
  } finally {
    await client.end();
  }
}

async function migrateOne(
  client: pg.Client,
  plan: MigrationPlan,
  contract: boolean,
): Promise<MigrationReport> {
  await retryWhenRaced(() => prepareRole(client, plan));
  const files = await migrationFiles(plan.folders);
  const before = await appliedTo(client, plan.schema);
  refuseWhatIsNewer(plan.schema, files, [...before.keys()]);
  const [applied, contractsLeft]: [string[], string[]] = [[], []];
  for (const file of files) {
    const name = `${plan.schema}/${file.name}`;
    const { text, sha256 } = await readMigration(file);
    const known = before.get(keyOf(file));
    if (known !== undefined && known !== sha256)
      throw new Error(`migration ${name} was changed after it was applied: add a new file instead`);
    if (known !== undefined) continue;
    if (file.contract && !contract) {
      contractsLeft.push(name);
      continue;
    }
    const contracts = file.contract ? files.filter((one) => one.contract).length : 0;
    await applyFile(client, plan, file, { text, sha256, contracts });
    applied.push(name);
  }
  return { applied, contractsLeft };
}

async function appliedTo(client: pg.Client, schema: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ folder: string; file: string; sha256: string }>(
    'select folder, file, sha256 from gatehouse.migration where schema_name = $1',
    [schema],
  );
  return new Map(
    rows.map(({ folder, file, sha256 }) => [keyOf({ origin: folder, name: file }), sha256]),
  );
}

async function prepareRole(client: pg.Client, plan: MigrationPlan): Promise<void> {
  const [role, schema] = [pg.escapeIdentifier(plan.role), pg.escapeIdentifier(plan.schema)];
  const known = await client.query('select 1 from pg_roles where rolname = $1', [plan.role]);
  if (known.rowCount === 0)
    await client.query(`create role ${role} login nosuperuser nocreatedb nocreaterole`);
  await client.query(`alter role ${role} password ${pg.escapeLiteral(plan.password)}`);
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`grant usage on schema ${schema} to ${role}`);
  // Each process reads for itself whether what it needs was applied.
  await client.query(`grant usage on schema gatehouse to ${role}`);
  await client.query(`grant select on gatehouse.migration to ${role}`);
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
  { origin, name }: MigrationFile,
  given: { readonly text: string; readonly sha256: string; readonly contracts: number },
): Promise<void> {
  const sql = given.text.replaceAll('{{schema}}', plan.schema).replaceAll('{{role}}', plan.role);
  await client.query('begin');
  try {
    await lockOutOlderProcesses(client, plan.schema, given.contracts);
    await client.query(`set local search_path = ${pg.escapeIdentifier(plan.schema)}`);
    await client.query(sql);
    await client.query(
      'insert into gatehouse.migration (schema_name, folder, file, sha256) values ($1, $2, $3, $4)',
      [plan.schema, origin, name, given.sha256],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration ${plan.schema}/${name} failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
