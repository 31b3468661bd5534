import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, type MigrationReport } from '@gatehouse/platform';
import { Administrator, migrationPlans } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCluster, type Cluster } from '../harness/cluster.ts';
import { startLaneBus, type LaneBus } from '../harness/lane-bus.ts';

const EXPAND = '9001_titles.sql';
const CONTRACT = '9002_names_go.contract.sql';

let bus: LaneBus;
let cluster: Cluster;
let root: string;
let admin: Administrator;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gatehouse-tomorrow-'));
  await mkdir(join(root, 'policy/tomorrow'), { recursive: true });
  await writeFile(
    join(root, 'policy/tomorrow', EXPAND),
    `alter table event add column title text not null default '';
     alter table current_bundle add column published_at timestamptz;
     create table bundle_note (number integer primary key, note text not null)`,
  );
  await writeFile(
    join(root, 'policy/tomorrow', CONTRACT),
    'alter table current_bundle rename column roles to definitions',
  );
  bus = await startLaneBus();
  cluster = await prepareCluster({}, bus.options);
  if (bus.kafka !== undefined) await cluster.applyTopics();
  await cluster.migrate();
  for (const service of ['policy', 'identity', 'admin']) await cluster.start(service);
  for (const service of ['policy', 'identity', 'admin']) await cluster.ready(service);
  admin = new Administrator(cluster.urlOf('admin'), await cluster.adminToken());
}, 300_000);

afterAll(async () => {
  await cluster?.dispose();
  await bus?.stop();
  await rm(root, { recursive: true });
});

/** As `gatehouse migrate` of the next release would. The role is another, so that its password stays as it is. */
function migrateAsTomorrow(contract: boolean): Promise<MigrationReport> {
  const plan = migrationPlans('only-in-tests').find(({ schema }) => schema === 'policy')!;
  const folders = [...plan.folders, join(root, 'policy/tomorrow')];
  const role = 'gatehouse_tomorrow';
  return migrate(cluster.databaseUrl, [{ ...plan, role, folders }], { contract });
}

const define = (name: string): Promise<void> => admin.defineRole(name, '', {});

describe('a process of today, while tomorrow moves in', () => {
  it('goes on deciding, appending and telling while its schema is expanded', async () => {
    await define('before');
    const meanwhile = ['one', 'two', 'three'].map(define);
    expect(await migrateAsTomorrow(false)).toEqual({
      applied: [`policy/${EXPAND}`],
      contractsLeft: [`policy/${CONTRACT}`],
    });
    await Promise.all(meanwhile);
    await define('after');
  });

  it('is not left without what it stands on', async () => {
    await expect(migrateAsTomorrow(true)).rejects.toThrow(
      'a process of an older release still runs on the schema policy',
    );
    await define('undisturbed');
    // The release that runs may ask for its own at any time: it has none.
    expect(await cluster.migrate('--contract')).toBe('The database is at head.\n');
  });

  it('does not come back once that was taken away, and says why', async () => {
    await cluster.stop('policy');
    expect((await migrateAsTomorrow(true)).applied).toEqual([`policy/${CONTRACT}`]);
    await cluster.start('policy');
    await eventually(
      () => expect(cluster.logOf('policy')).toContain('this build is older than the database'),
      { timeoutMs: 30_000 },
    );
    const { status } = await fetch(`${cluster.urlOf('policy')}/health/ready`);
    expect(status).toBe(503);
    await expect(cluster.migrate()).rejects.toThrow('this build is older than the database');
  });
});
