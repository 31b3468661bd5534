import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator, askGraphQL } from '@gatehouse/standalone';
import { scrape } from '@gatehouse/platform/testing';
import {
  eventually,
  startEverythingOverHttp,
  startSecureKafka,
  startThrowAwayPostgres,
  type HttpUpstream,
  type SecureKafka,
  type ThrowAwayPostgres,
} from '@gatehouse/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareRelease, type ChartRelease } from '../harness/chart/chart-release.ts';
import { openDoorSession, type DoorSession } from '../harness/door-session.ts';
import type { LocalPod } from '../harness/chart/local-pod.ts';
import { mayCall } from '../harness/chart/network-rules.ts';
import { hasHelm } from '../harness/chart/rendered-chart.ts';
import { socketsOf } from '../harness/chart/sockets.ts';
import { readTrail, type World } from '../harness/world.ts';
import { seesWrites } from '../harness/chart/written-files.ts';

type Ask = World['ask'];

const OWNER_PASSWORD = 'the owner of the database';
const AGENT = 'caller';
const ECHO = 'everything__echo';
const MESSAGE = 'hello';
// What it takes is a second or two; the machine may be busy.
const SOON = { timeoutMs: 30_000, everyMs: 50 };

let everything: HttpUpstream;
let kafka: SecureKafka;
let postgres: ThrowAwayPostgres;
let release: ChartRelease;
const calls = new Map<string, Set<number>>();
const watching = new AbortController();
let watched: Promise<void> = Promise.resolve();

/** As the chart asks for it: the owner owns the database and may create roles, and nothing more. */
async function createOwnedDatabase(): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query(`CREATE ROLE gatehouse LOGIN CREATEROLE PASSWORD '${OWNER_PASSWORD}'`);
    await client.query('CREATE DATABASE gatehouse OWNER gatehouse');
  } finally {
    await client.end();
  }
}

const portOf = (url: string): number => Number(new URL(url).port);

/** What somebody would say who installs the chart here, on brokers that ask who comes; all else is as it comes. */
function installed(): readonly string[] {
  const sets = [
    'database.host=127.0.0.1',
    `database.port=${postgres.port}`,
    `bus.brokers={localhost:${kafka.signInPort}}`,
    'bus.replicationFactor=1',
    'bus.tls=true',
    `bus.user=${kafka.scram.name}`,
    'secrets.busCa.name=kafka-ca',
    'secrets.busCertificate.name=kafka-client',
    'secrets.metricsToken.name=gatehouse-metrics',
    'gateway.settings.maxSessions=1',
    'ingress.enabled=true',
  ];
  const upstreams = [{ ports: [{ protocol: 'TCP', port: portOf(everything.url) }] }];
  return [
    ...sets.flatMap((set) => ['--set', set]),
    '--set-json',
    `networkPolicy.upstreams=${JSON.stringify(upstreams)}`,
  ];
}

/** Whom each pod calls, from its start on. */
async function watch(): Promise<void> {
  for (; !watching.signal.aborted; await sleep(100))
    for (const pod of release.pods) {
      // One that has ended calls nobody; what it should have called is then missed.
      const sockets = await socketsOf(release.processes.pidOf(pod.name)).catch(() => undefined);
      const seen = calls.get(pod.name) ?? new Set();
      for (const { near, far } of sockets?.connected ?? []) if (near !== pod.port) seen.add(far);
      calls.set(pod.name, seen);
    }
}

async function stopWatching(): Promise<void> {
  watching.abort();
  await watched;
}

/** A server taken in, and an agent that may call one tool of it; answers the agent's key. */
async function grantEcho(admin: Administrator): Promise<{ token: string }> {
  await admin.submit('everything', 'Everything', { streamableHttp: { url: everything.url } });
  await admin.approve('everything', await admin.classify('everything', 'echo', 'READ'));
  await admin.defineRole('echoes', '', { everything: [{ tool: 'echo', mode: 'READ' }] });
  return admin.createAgent(AGENT, 'echoes');
}

async function echo(session: DoorSession): Promise<string> {
  const { body } = await session.call(ECHO, { message: MESSAGE });
  return body;
}

/** What audit opens with its key of what a gate sealed with its own. */
async function revealed(ask: Ask, id: string): Promise<unknown> {
  const answer = await ask<{ revealArguments: { arguments: unknown } }>(
    'query ($id: ID!) { revealArguments(id: $id) { arguments } }',
    { id },
  );
  return answer.revealArguments.arguments;
}

// Helm renders where it is at hand, on PATH or at HELM. `.ci/run` brings it, and there nothing may skip itself.
describe.skipIf(!hasHelm)('what the chart starts, as processes', () => {
  beforeAll(async () => {
    [everything, kafka, postgres] = await Promise.all([
      startEverythingOverHttp(),
      startSecureKafka(),
      startThrowAwayPostgres(),
    ]);
    await createOwnedDatabase();
    release = await prepareRelease({
      name: 'gatehouse',
      flags: installed(),
      ownerPassword: OWNER_PASSWORD,
      ownSecrets: {
        'gatehouse-bus': { password: kafka.scram.passwordFile },
        'kafka-ca': { 'ca.crt': kafka.caFile },
        'kafka-client': { 'tls.crt': kafka.clientCertificateFile, 'tls.key': kafka.clientKeyFile },
      },
      howMany: { gateway: 2 },
    });
  });
  afterAll(async () => {
    await stopWatching();
    await release?.dispose();
    await postgres?.stop();
    await kafka?.stop();
    await everything?.stop();
  });

  it('brings database and topics to where they must be before anybody serves; an upgrade to the same changes nothing', async () => {
    const runAll = async (): Promise<readonly string[]> => {
      const said: string[] = [];
      for (const job of release.jobs) said.push(await release.run(job));
      return said;
    };
    const [migrated, applied] = await runAll();
    expect(migrated).toMatch(/Applied .*identity/);
    expect(applied).toContain('gatehouse.identity.v1');
    expect(await runAll()).toEqual([
      'The database is at head.\n',
      'The topics are as they should be.\n',
    ]);
  });

  it('is alive and ready by the probes of the chart', async () => {
    for (const pod of release.pods) await release.start(pod);
    watched = watch();
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
      for (const pod of release.pods)
        await expect(
          release.processes.answers(pod.name, pod.probed(probe)),
        ).resolves.toBeUndefined();
  });

  it('does the main job through the doors of the Ingress: intake, a role, an agent, governed calls, their records', async () => {
    const [admin, ...noOther] = release.behindIngress('/graphql');
    const gates = release.behindIngress('/mcp');
    expect([noOther.length, gates.length]).toEqual([0, 2]);
    // Where NOTES.txt says that it is.
    const token = (
      await readFile(release.podOf('identity').at('/data/admin-token'), 'utf8')
    ).trim();
    const ask: Ask = (query, variables) => askGraphQL(admin!.url, token, query, variables);
    const agent = await grantEcho(new Administrator(admin!.url, token));
    for (const gate of gates) {
      const session = await eventually(() => openDoorSession(gate.url, agent.token), SOON);
      await eventually(async () => expect(await echo(session)).toContain(`Echo: ${MESSAGE}`), SOON);
      // Each holds one session, as the settings file says.
      await expect(openDoorSession(gate.url, agent.token)).rejects.toThrow('overloaded');
    }
    await eventually(async () => {
      const records = await readTrail(ask, { principalName: AGENT, tool: 'echo' });
      const done = records.filter(({ outcome }) => outcome === 'OK');
      expect(done.length).toBeGreaterThanOrEqual(gates.length);
      expect(await revealed(ask, done[0]!.id)).toEqual({ message: MESSAGE });
    }, SOON);
  });

  it('shows its metrics to who has the token of the Secret, and to nobody else', async () => {
    const token = (await release.secret('gatehouse-metrics', 'token')).toString();
    for (const { url, container } of release.pods) {
      expect((await fetch(`${url}/metrics`)).status).toBe(401);
      const scraped = await scrape(url, token);
      expect(scraped.value('gatehouse_build_info', { service: container.name })).toBe(1);
    }
  });

  it('leads nobody from outside to what is not for them', () => {
    for (const path of ['/metrics', '/health/ready', '/internal/commands', '/mcp/other', '/'])
      expect(release.behindIngress(path)).toEqual([]);
  });

  it('listens in each pod on the declared port alone', async () => {
    for (const pod of release.pods) {
      const { listening } = await socketsOf(release.processes.pidOf(pod.name));
      expect([pod.name, listening]).toEqual([pod.name, [pod.port]]);
    }
  });

  it('calls nobody but whom the NetworkPolicies let it, and all of these', async () => {
    await stopWatching();
    const may = (caller: LocalPod, port: number): boolean =>
      mayCall(release.manifests, release.pods, caller, port);
    const names = new Map([
      [kafka.signInPort, 'bus'],
      [postgres.port, 'database'],
      [portOf(everything.url), 'upstream'],
      ...release.pods.map((pod) => [pod.port, pod.name] as const),
    ]);
    for (const pod of release.pods) {
      const called = [...(calls.get(pod.name) ?? [])];
      const forbidden = called
        .filter((port) => !may(pod, port))
        .map((port) => names.get(port) ?? port);
      // The registry asks a server for its tools and hangs up, which may be too short to be seen.
      const missed = [...names]
        .filter(([port]) => may(pod, port) && !called.includes(port))
        .map(([, name]) => `${pod.container.name} to ${name}`)
        .filter((pair) => pair !== 'registry to upstream');
      expect([pod.name, forbidden, missed]).toEqual([pod.name, [], []]);
    }
    // The rules would say no.
    expect(may(release.podOf('gateway'), postgres.port)).toBe(false);
    expect(may(release.podOf('gateway'), release.podOf('identity').port)).toBe(false);
    expect(may(release.podOf('audit'), portOf(everything.url))).toBe(false);
  });

  it('ends in time when it is told to', async () => {
    const began = Date.now();
    await Promise.all(
      release.pods.map(async (pod) => {
        const log = (): string => release.processes.logOf(pod.name);
        expect(await release.processes.stop(pod.name), log()).toBe(0);
        expect(Date.now() - began).toBeLessThan(pod.graceMs);
      }),
    );
  });

  // The root of its container is there to be read alone.
  it.skipIf(!seesWrites)(
    'has written to what is mounted alone, from its start to its end',
    async () => {
      for (const pod of [...release.jobs, ...release.pods]) {
        const written = await release.written(pod);
        const elsewhere = written.filter((place) => !pod.mayWrite(place) && place !== '/dev/null');
        expect([pod.name, elsewhere]).toEqual([pod.name, []]);
      }
      const token = release.podOf('identity').at('/data/admin-token');
      expect(await release.written(release.podOf('identity'))).toContain(token);
      for (const index of [0, 1]) {
        const gateway = release.podOf('gateway', index);
        const spool = expect.stringContaining(gateway.at('/data/'));
        expect(await release.written(gateway)).toContainEqual(spool);
      }
    },
  );
});
