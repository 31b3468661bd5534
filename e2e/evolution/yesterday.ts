import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, type MigrationPlan } from '@gatehouse/platform';
import { migrationPlans } from '@gatehouse/standalone';
import pg from 'pg';
import type { Release } from './releases.ts';
import { restoreRows } from './stored-rows.ts';

/** Makes an empty database be as the code of a release left it: its migrations, then its rows exactly as stored. */
export async function putBack(url: string, release: Release): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-release-'));
  try {
    const plans: MigrationPlan[] = [];
    for (const plan of migrationPlans('only-in-tests'))
      plans.push({ ...plan, folders: await foldersThen(plan.folders, release, root) });
    await migrate(url, plans, { contract: true });
    await restoreRows(url, release.rows);
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The same folders with only those files that the release had; the ends of their paths stay, for the database goes by them. */
async function foldersThen(
  folders: readonly string[],
  { migrations }: Release,
  root: string,
): Promise<readonly string[]> {
  const then: string[] = [];
  for (const folder of folders) {
    const place = folder.split('/').slice(-2).join('/');
    const target = join(root, place);
    await mkdir(target, { recursive: true });
    const files = [...migrations.keys()].filter((path) => path.includes(`/${place}/`));
    for (const path of files) {
      const file = path.slice(path.lastIndexOf('/') + 1);
      await copyFile(join(folder, file), join(target, file));
    }
    then.push(target);
  }
  return then;
}

/** The database of a standalone data directory whose PostgreSQL was left running, as its superuser. */
export async function leftOverDatabase(dataDirectory: string): Promise<string> {
  const { databasePassword } = JSON.parse(
    await readFile(join(dataDirectory, 'secrets.json'), 'utf8'),
  ) as { databasePassword: string };
  const pid = await readFile(join(dataDirectory, 'postgres/data/postmaster.pid'), 'utf8');
  const socketFolder = pid.split('\n')[4] ?? '';
  return `postgres://postgres:${encodeURIComponent(databasePassword)}@${encodeURIComponent(socketFolder)}/postgres`;
}

/** Takes away every schema of Gatehouse. */
export async function emptyDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const schemas = ['gatehouse', ...migrationPlans('').map(({ schema }) => schema)];
    for (const schema of schemas)
      await client.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
  } finally {
    await client.end();
  }
}
