import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator } from '@gatehouse/standalone';
import { eventually, startThrowAwayKafka } from '@gatehouse/testing';
import { prepareCluster, type Cluster } from '../journeys/harness/cluster.ts';
import { startWorld } from '../journeys/harness/world.ts';
import { holdingTool, startHoldingServer } from '../journeys/harness/holding-server.ts';
import { addPrincipals } from './population.ts';
import { openRawSession, type RawSession } from './raw-session.ts';
import { figure, median, quantile, type Figure } from './report.ts';
import { processorSeconds, residentMegabytes } from './process-usage.ts';

const GATEWAYS = [1, 2, 4] as const;
const CALLERS_A_GATEWAY = 8;
const ROUND_MS = 5_000;
const ROUNDS = 3;

const PRINCIPALS = [0, 1_000, 10_000, 100_000];
const SERVERS = 10;
const TOOLS_A_SERVER = 100;
const STARTS = 3;
const SETTLE_MS = 3_000;

/** What more gateways carry, and what a gateway weighs as there is more to know. */
export async function scaleBench(): Promise<readonly Figure[]> {
  return [...(await moreGateways()), ...(await moreToKnow())];
}

/** Callers in a closed loop at every gateway, all on the one machine. */
async function moreGateways(): Promise<Figure[]> {
  const figures: Figure[] = [];
  let alone: number | undefined;
  for (const gateways of GATEWAYS) {
    const world = await startWorld({}, { kind: 'cluster', bus: 'kafka', gateways });
    const sessions: RawSession[] = [];
    try {
      const { token } = await world.agent('scale', {
        everything: [{ tool: 'echo', mode: 'READ' }],
      });
      for (const url of world.gatehouse.gateUrls)
        sessions.push(await eventually(() => openRawSession(`${url}/s/everything/mcp`, token)));
      await oneRound(sessions, ROUND_MS / 2);
      const rounds: number[][] = [];
      const before = await processorSecondsOf(world.gatehouse.gatePids);
      for (let round = 0; round < ROUNDS; round += 1)
        rounds.push(await oneRound(sessions, ROUND_MS));
      const taken = (await processorSecondsOf(world.gatehouse.gatePids)) - before;
      const perSecond = median(rounds.map(({ length }) => length / (ROUND_MS / 1_000)));
      alone ??= perSecond;
      const of = `${gateways} gateway${gateways === 1 ? '' : 's'}`;
      const middle = (share: number): number =>
        median(rounds.map((round) => quantile(round, share)));
      figures.push(
        figure(`${of}: calls a second, all together`, '1/s', perSecond, { baseline: alone }),
        figure(`${of}: a call, p50`, 'ms', middle(0.5)),
        figure(`${of}: a call, p99`, 'ms', middle(0.99)),
        figure(
          `${of}: processor time of the gateways, a call`,
          'ms',
          (taken * 1_000) / rounds.flat().length,
        ),
      );
    } finally {
      for (const session of sessions) session.close();
      await world.dispose();
    }
  }
  return figures;
}

async function processorSecondsOf(pids: readonly number[]): Promise<number> {
  const seconds = await Promise.all(pids.map(processorSeconds));
  return seconds.reduce((sum, each) => sum + each, 0);
}

async function oneRound(sessions: readonly RawSession[], forMs: number): Promise<number[]> {
  const samples: number[] = [];
  const end = performance.now() + forMs;
  const callers = sessions.flatMap((session) =>
    Array.from({ length: CALLERS_A_GATEWAY }, async () => {
      while (performance.now() < end) samples.push(await session.call('echo', { message: 'x' }));
    }),
  );
  await Promise.all(callers);
  return samples;
}

/** One gateway of a cluster, started again and again while the number of principals grows; and then with a thousand tools. */
async function moreToKnow(): Promise<Figure[]> {
  const kafka = await startThrowAwayKafka();
  const busUrl = `kafka://${kafka.bootstrap}`;
  const cluster = await prepareCluster({}, { busUrl });
  try {
    await cluster.applyTopics();
    await cluster.migrate();
    const owners = cluster.services.filter((name) => !name.startsWith('gateway'));
    for (const service of owners) await cluster.start(service);
    for (const service of owners) await cluster.ready(service);
    const figures: Figure[] = [];
    let baseline: Weight | undefined;
    let there = 0;
    for (const principals of PRINCIPALS) {
      await addPrincipals(busUrl, principals - there);
      there = principals;
      const weight = await weigh(cluster);
      figures.push(...figuresOf(`${principals} principals`, weight, baseline));
      baseline ??= weight;
    }
    figures.push(...(await withManyTools(cluster, `${there} principals`)));
    return figures;
  } finally {
    await cluster.dispose();
    await kafka.stop();
  }
}

async function withManyTools(cluster: Cluster, beside: string): Promise<Figure[]> {
  const tools = Array.from({ length: TOOLS_A_SERVER }, (_, index) => holdingTool(`tool-${index}`));
  const behind = await startHoldingServer(tools);
  try {
    const admin = new Administrator(cluster.urlOf('admin'), await cluster.adminToken());
    for (let server = 0; server < SERVERS; server += 1) {
      const transport = { streamableHttp: { url: behind.url } };
      const { digest } = await admin.submit(`many-${server}`, 'Many tools', transport);
      await admin.approve(`many-${server}`, digest);
    }
    await admin.defineRole('all', '', { '*': [{ tool: '*', mode: 'WRITE' }] });
    const { token } = await admin.createAgent('all', 'all');
    const count = SERVERS * TOOLS_A_SERVER;
    const what = `${beside}, ${count} tools`;
    const figures = figuresOf(what, await weigh(cluster), undefined);
    await startGateway(cluster);
    const session = await eventually(() =>
      openRawSession(`${cluster.urlOf('gateway')}/mcp`, token),
    );
    const first = await session.list();
    if (first.tools !== count) throw new Error(`${first.tools} tools are listed, not ${count}`);
    const later: number[] = [];
    for (let round = 0; round < 50; round += 1) later.push((await session.list()).took);
    session.close();
    return [
      ...figures,
      figure(`${what}: the first list of all tools`, 'ms', first.took),
      figure(`${what}: a later list of all tools, p50`, 'ms', median(later)),
    ];
  } finally {
    await behind.stop();
  }
}

interface Weight {
  readonly seconds: number;
  readonly megabytes: number;
}

async function weigh(cluster: Cluster): Promise<Weight> {
  const seconds: number[] = [];
  const megabytes: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    seconds.push(await startGateway(cluster));
    await sleep(SETTLE_MS);
    megabytes.push(await residentMegabytes(cluster.pidOf('gateway')));
    await cluster.stop('gateway');
  }
  return { seconds: median(seconds), megabytes: median(megabytes) };
}

/** Answers the seconds from the command until it is ready. */
async function startGateway(cluster: Cluster): Promise<number> {
  const began = performance.now();
  await cluster.start('gateway');
  await cluster.ready('gateway');
  return (performance.now() - began) / 1_000;
}

function figuresOf(what: string, weight: Weight, baseline: Weight | undefined): Figure[] {
  const against = (of: keyof Weight): { baseline?: number } =>
    baseline === undefined ? {} : { baseline: baseline[of] };
  return [
    figure(`${what}: gateway, start until ready`, 's', weight.seconds, against('seconds')),
    figure(`${what}: gateway, RSS`, 'MB', weight.megabytes, against('megabytes')),
  ];
}
