import { askGraphQL, connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillKafka } from '../evolution/fill-kafka.ts';
import { readModels, readTrail } from '../evolution/read-models.ts';
import { releases } from '../evolution/releases.ts';
import { emptyDatabase, leftOverDatabase, putBack } from '../evolution/yesterday.ts';
import { prepareCluster } from './harness/cluster.ts';
import { installation } from './harness/gatehouse-process.ts';
import { formOfThisLane } from './harness/gatehouse.ts';
import { startLaneBus } from './harness/lane-bus.ts';

/** Today's Gatehouse, started on the database of a release. */
interface Upgraded {
  readonly apiUrl: string;
  readonly gateUrl: string;
  /** Folds read tables anew. */
  rebuild(): Promise<void>;
  dispose(): Promise<void>;
}

// Two forms of a whole Gatehouse come and go here; a busy machine takes its time.
const PATIENCE_MS = 300_000;

describe.each(releases())('what $name left behind, under the code of today', (release) => {
  const { administrator, reader, revoked } = release.tokens;
  const api = <Data>(query: string, variables = {}): Promise<Data> =>
    askGraphQL<Data>(gatehouse.apiUrl, administrator, query, variables);
  const connect = (token: string): ReturnType<typeof connectCaller> =>
    connectCaller(`${gatehouse.gateUrl}/mcp`, token, 'today');
  let starting: Promise<Upgraded>;
  let gatehouse: Upgraded;

  beforeAll(async () => {
    const start = formOfThisLane().kind === 'cluster' ? startCluster : startStandalone;
    starting = start(release);
    gatehouse = await starting;
  }, PATIENCE_MS);
  // What took too long to start is waited for, and ended.
  afterAll(async () => (await starting).dispose(), PATIENCE_MS);

  it('is shown as it was then', async () => {
    await eventually(async () =>
      expect(await readModels(gatehouse.apiUrl, administrator)).toEqual(release.readModels),
    );
  });

  it('is still evidence, every record of it', async () => {
    expect(release.trail.length).toBeGreaterThan(0);
    const trail = await readTrail(gatehouse.apiUrl, administrator);
    expect(trail).toEqual(expect.arrayContaining([...release.trail]));
  });

  it('still opens the gate to whom it was opened, for what was granted, and to nobody else', async () => {
    const caller = await connect(reader);
    try {
      expect(await caller.listTools()).toEqual(['notes__read_note']);
      expect((await caller.call('notes__write_note', { title: 'x' })).failed).toBe(true);
    } finally {
      await caller.close();
    }
    await expect(connect(revoked)).rejects.toThrow();
    await eventually(async () => {
      const [newest] = await readTrail(gatehouse.apiUrl, administrator);
      expect(newest).toMatchObject({ decision: 'DENY', reason: { code: 'token-refused' } });
    });
  });

  it('goes on: new events are appended to the streams of then', async () => {
    const { gate, agents } = release.readModels as {
      gate: { bundleNumber: number };
      agents: { nodes: readonly { id: string; name: string }[] };
    };
    const agent = agents.nodes.find(({ name }) => name === 'reader');
    await api(
      `mutation ($input: DisableAgentInput!) { disableAgent(input: $input) { agent { id } } }`,
      { input: { agentId: agent?.id, reason: 'upgraded' } },
    );
    await eventually(() => expect(connect(reader)).rejects.toThrow());
    const { defineRole } = await api<{ defineRole: { bundleNumber: number } }>(
      `mutation ($input: DefineRoleInput!) { defineRole(input: $input) { bundleNumber } }`,
      { input: { name: 'reader', connectors: [] } },
    );
    expect(defineRole.bundleNumber).toBe(gate.bundleNumber + 1);
    await api(
      `mutation ($input: ResumeServerInput!) { resumeServer(input: $input) { server { status } } }`,
      { input: { slug: 'archive' } },
    );
  });

  it(
    'is the same when it is folded anew from the logs',
    async () => {
      const before = await readModels(gatehouse.apiUrl, administrator);
      expect(before).not.toEqual(release.readModels);
      await gatehouse.rebuild();
      await eventually(async () =>
        expect(await readModels(gatehouse.apiUrl, administrator)).toEqual(before),
      );
    },
    PATIENCE_MS,
  );
});

async function startStandalone(release: Parameters<typeof putBack>[1]): Promise<Upgraded> {
  const place = await installation();
  try {
    await place.start();
    // A killed process leaves its PostgreSQL running; the next one takes it over, with what is in it by then.
    await place.kill();
    const url = await leftOverDatabase(place.dataDirectory);
    await emptyDatabase(url);
    await putBack(url, release);
    await place.start();
  } catch (error) {
    await place.dispose();
    throw error;
  }
  return {
    get apiUrl() {
      return place.url;
    },
    get gateUrl() {
      return place.url;
    },
    async rebuild() {
      await place.stop();
      expect(await place.run('rebuild')).toMatchObject({ code: 0 });
      await place.start();
    },
    dispose: () => place.dispose(),
  };
}

/** On Kafka the messages of then lie there too, told by a relay whose place is in the database. */
async function startCluster(release: Parameters<typeof putBack>[1]): Promise<Upgraded> {
  const bus = await startLaneBus();
  const cluster = await prepareCluster({}, bus.options);
  const dispose = async (): Promise<void> => {
    await cluster.dispose();
    await bus.stop();
  };
  try {
    if (bus.kafka !== undefined) {
      await cluster.applyTopics();
      await fillKafka(bus.kafka.bootstrap, release);
    }
    await putBack(cluster.databaseUrl, release);
    await cluster.migrate();
    const services = cluster.services.filter((name) => name !== 'gateway-2');
    for (const service of services) await cluster.start(service);
    for (const service of services) await cluster.ready(service);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    apiUrl: cluster.urlOf('admin'),
    gateUrl: cluster.urlOf('gateway'),
    async rebuild() {
      for (const service of ['identity', 'admin']) {
        await cluster.stop(service);
        await cluster.rebuild(service);
        await cluster.start(service);
        await cluster.ready(service);
      }
    },
    dispose,
  };
}
