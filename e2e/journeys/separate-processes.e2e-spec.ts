import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Administrator, connectCaller, readTrail } from '@gatehouse/standalone';
import { eventually, filesystemStdio } from '@gatehouse/testing';
import { scrape } from '@gatehouse/platform/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCluster, type Cluster } from './harness/cluster.ts';
import { startLaneBus, type LaneBus } from './harness/lane-bus.ts';

const RELAYED = 'gatehouse_outbox_lag_events';
const OWN: Readonly<Record<string, readonly string[]>> = {
  identity: [RELAYED, 'gatehouse_commands_total', 'gatehouse_projection_position'],
  policy: [RELAYED, 'gatehouse_events_appended_total'],
  registry: [RELAYED, 'gatehouse_registry_fetches_total'],
  audit: ['gatehouse_audit_records_stored_total', 'gatehouse_bus_consumer_lag_messages'],
  admin: ['gatehouse_admin_operations_total', 'gatehouse_projection_applied_events_total'],
  gateway: ['gatehouse_gateway_requests_total', 'gatehouse_gateway_spool_refusing'],
};

const OWNER = 'its database and the event bus';
/** What each must have before it may serve; of the state of a gate or of admin, how its sentence begins. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  identity: [OWNER, 'the schema identity', 'first administrator'],
  policy: [OWNER, 'the schema policy', 'first policy bundle'],
  registry: [OWNER, 'the schema registry'],
  audit: [OWNER, 'the schema audit', 'audit-trail'],
  admin: [OWNER, 'the schema admin', 'admin access state'],
  gateway: ['the event bus', 'evidence', 'gateway state'],
};
const beginningWith = (words: string): unknown => expect.stringMatching(`^${words}`);

/** What a process said first that it waits for; throws while it has said nothing. */
function toldToWaitFor(log: string): readonly string[] {
  const line = log.split('\n').find((each) => each.includes('"msg":"waiting for '));
  if (line === undefined) throw new Error(`it does not say what it waits for: ${log}`);
  return (JSON.parse(line) as { readonly waitingFor: readonly string[] }).waitingFor;
}

let bus: LaneBus;
let cluster: Cluster;
let folder: string;
const files = (): ReturnType<typeof filesystemStdio> => filesystemStdio(folder);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  await writeFile(join(folder, 'note.txt'), 'a note\n');
  const { command } = files();
  bus = await startLaneBus();
  cluster = await prepareCluster(
    {
      GATEHOUSE_REGISTRY_STDIO_COMMANDS: command,
      GATEHOUSE_GATEWAY_STDIO_COMMANDS: command,
    },
    bus.options,
  );
});
afterAll(async () => {
  await cluster?.dispose();
  await bus?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Nobody serves, and none of their processes has given up. */
async function expectNobodyReady(): Promise<void> {
  for (const service of cluster.services) {
    const { status } = await fetch(`${cluster.urlOf(service)}/health/ready`);
    expect(status, service).toBe(503);
  }
}

interface Connected {
  readonly process: string;
  readonly role: string;
  readonly superuser: boolean;
}

/** Every process in the database, but the one that asks. */
async function whoIsConnected(): Promise<readonly Connected[]> {
  const owner = new Client({ connectionString: cluster.databaseUrl });
  await owner.connect();
  try {
    // What holds a schema for a service says so in its name.
    const { rows } = await owner.query<Connected>(
      `select distinct replace(application_name, '-claim-', '-') as process, usename::text as role, rolsuper as superuser
         from pg_stat_activity join pg_roles on rolname = usename
        where backend_type = 'client backend' and pid <> pg_backend_pid()
        order by process, role`,
    );
    return rows;
  } finally {
    await owner.end();
  }
}

describe('the services of docker-compose.yml as processes of their own', () => {
  it('may start in any order, before their database and the bus are there even, and say what they wait for', async () => {
    await bus.kafka?.kill();
    for (const service of cluster.services.toReversed()) await cluster.start(service);
    for (const service of cluster.services) {
      const told = await eventually(() => toldToWaitFor(cluster.logOf(service)), {
        timeoutMs: 60_000,
      });
      const needs = NEEDS[service.replace(/-\d$/, '')] ?? ['something of its own'];
      expect(told, service).toEqual(expect.arrayContaining(needs.map(beginningWith)));
      const health = await fetch(`${cluster.urlOf(service)}/health/ready`);
      expect(health.status, service).toBe(503);
    }
    expect(await cluster.healthy('identity')).toBe(false);
    // A bus without topics, then a database without a bus that is ready: neither is enough for anybody.
    await bus.kafka?.restart();
    await expectNobodyReady();
    if (bus.kafka !== undefined) await cluster.applyTopics();
    await expectNobodyReady();
    expect(await cluster.migrate()).toMatch(/Applied .*identity/);
    for (const service of cluster.services) await cluster.ready(service);
    for (const service of cluster.services) expect(await cluster.healthy(service)).toBe(true);
    expect(await cluster.migrate()).toBe('The database is at head.\n');
  });

  it('are each in the database by a role of their own, none of them by its owner; and a gateway is not there', async () => {
    const keepers = cluster.services.filter((name) => !name.startsWith('gateway'));
    const own = keepers.toSorted().map((name) => ({
      process: `gatehouse-${name}`,
      role: `gatehouse_${name}`,
      superuser: false,
    }));
    // A bus in PostgreSQL is reached by a role for the bus, by every process.
    const ofTheBus = bus.kafka === undefined ? ['gatehouse_bus'] : [];
    await eventually(async () => {
      const connected = await whoIsConnected();
      expect(connected.filter(({ role }) => !ofTheBus.includes(role))).toEqual(own);
    });
  });

  it('tell Prometheus of themselves, each what is its own, and nobody who has not the token', async () => {
    const token = await cluster.metricsToken();
    for (const name of cluster.services) {
      const url = cluster.urlOf(name);
      expect((await fetch(`${url}/metrics`)).status).toBe(401);
      const service = name.replace(/-\d$/, '');
      const scraped = await scrape(url, token);
      expect(scraped.value('gatehouse_build_info', { service })).toBe(1);
      await eventually(async () =>
        expect((await scrape(url, token)).value('gatehouse_bus_connected', { service })).toBe(1),
      );
      for (const family of OWN[service] ?? ['a family of its own'])
        expect(scraped.families, name).toContain(family);
    }
  });

  it('do the main job together: intake, roles, a governed call, its record', async () => {
    const token = await eventually(() => cluster.adminToken());
    const admin = new Administrator(cluster.urlOf('admin'), token);
    const { command, args } = files();
    const { digest } = await admin.submit('files', 'Files', { stdio: { command, args } });
    await admin.approve('files', digest);
    await admin.defineRole('reader', '', { files: [{ tool: '*', mode: 'READ' }] });
    const agent = await admin.createAgent('bot', 'reader');
    const caller = await eventually(() =>
      connectCaller(`${cluster.urlOf('gateway')}/mcp`, agent.token, 'journey'),
    );
    await eventually(async () =>
      expect(await caller.listTools()).toContain('files__read_text_file'),
    );
    expect(await caller.listTools()).not.toContain('files__write_file');
    const read = await caller.call('files__read_text_file', { path: join(folder, 'note.txt') });
    expect(read).toEqual({ text: 'a note\n', failed: false });
    await admin.revokeKey(agent.keyId, 'journey');
    await eventually(async () =>
      expect((await caller.call('files__read_text_file', { path: 'x' })).failed).toBe(true),
    );
    await caller.close();
    await eventually(async () => {
      const rows = await readTrail(
        cluster.urlOf('admin'),
        token,
        { principalName: 'bot', tool: 'read_text_file' },
        10,
      );
      expect(rows.map((row) => row.outcome)).toContain('OK');
    });
  });

  it('end cleanly when they are told to', async () => {
    for (const service of cluster.services)
      expect(await cluster.stop(service), cluster.logOf(service)).toBe(0);
  });
});
