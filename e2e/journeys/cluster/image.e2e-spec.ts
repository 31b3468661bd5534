import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Administrator, connectCaller } from '@gatehouse/standalone';
import { eventually, freePort } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCluster, type Cluster } from '../harness/cluster.ts';
import { ImageBuild, type BuiltImage } from '../harness/image-build.ts';
import { startLaneBus, type LaneBus } from '../harness/lane-bus.ts';

/** What package-lock.json says of a package at its path. */
interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

let folder: string;
let image: BuiltImage;
let bus: LaneBus;
let cluster: Cluster;

// Half a minute on an idle machine: two installations, and the compiler in the tree that the build stage makes.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-image-'));
  image = await new ImageBuild(folder).build('service');
  bus = await startLaneBus();
  cluster = await prepareCluster(
    // Nobody listens there; but what traces are sent with is loaded.
    { GATEHOUSE_TRACING_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
    { ...bus.options, gatehouse: join(image.root, 'usr/local/bin/gatehouse') },
  );
}, 400_000);
afterAll(async () => {
  await cluster?.dispose();
  await bus?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the files of the image `service`, as infra/docker/Dockerfile puts them together', () => {
  it('are a `gatehouse` that explains itself where it is told nothing', async () => {
    const [entrypoint = '', ...args] = [...image.entrypoint, ...image.command];
    const path = [join(image.root, 'usr/local/bin'), dirname(process.execPath), '/usr/bin', '/bin'];
    const { stdout } = await promisify(execFile)(entrypoint, args, {
      cwd: join(image.root, image.workdir),
      env: { ...image.environment, PATH: path.join(delimiter) },
    });
    expect(stdout).toMatch(/^ {2}serve .*[a-z]/m);
  });

  it('are of no package that only development, a test or the other image needs', async () => {
    const tree = join(image.root, image.workdir);
    const lock = JSON.parse(await readFile(join(tree, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, LockedPackage>>;
    };
    const installed = globSync('**/node_modules/{*,@*/*}/package.json', { cwd: tree }).map(dirname);
    expect(installed).toEqual(expect.arrayContaining(['node_modules/pg', 'node_modules/kafkajs']));
    const needless = installed.filter((path) => {
      const { dev, devOptional, optional } = lock.packages[path] ?? { dev: true };
      return dev ?? devOptional ?? optional ?? false;
    });
    expect(needless).toEqual([]);
    for (const name of ['vitest', 'typescript', '@typescript/native', 'nx'])
      expect(installed).not.toContain(`node_modules/${name}`);
  });

  it('run every service of docker-compose.yml: each lives, and waits until its database and the bus are made', async () => {
    for (const service of cluster.services) await cluster.start(service);
    for (const service of cluster.services) {
      const asked = (path: string): Promise<Response> => fetch(`${cluster.urlOf(service)}${path}`);
      const live = await eventually(
        () =>
          asked('/health/live').catch(() => {
            throw new Error(`${service} does not answer:\n${cluster.logOf(service)}`);
          }),
        { timeoutMs: 60_000 },
      );
      expect(live.status, service).toBe(200);
      const told: unknown = await (await asked('/health/ready')).json();
      const waitingFor: unknown = expect.arrayContaining([expect.any(String)]);
      expect(told, service).toEqual({ status: 'waiting', waitingFor });
    }
    if (bus.kafka !== undefined) await cluster.applyTopics();
    expect(await cluster.migrate()).toMatch(/Applied .*identity/);
    for (const service of cluster.services) await cluster.ready(service);
  }, 240_000);

  it('do the work of one change and of one caller', async () => {
    const token = await eventually(() => cluster.adminToken());
    const agent = await new Administrator(cluster.urlOf('admin'), token).createAgent(
      'bot',
      'viewer',
    );
    const caller = await eventually(() =>
      connectCaller(`${cluster.urlOf('gateway')}/mcp`, agent.token, 'journey'),
    );
    expect(await caller.listTools()).toEqual([]);
    await caller.close();
  });
});
