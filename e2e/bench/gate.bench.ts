import { eventually } from '@gatehouse/testing';
import { startWorld } from '../journeys/harness/world.ts';
import { openRawSession, type RawSession } from './raw-session.ts';
import { figure, median, quantile, type Figure } from './report.ts';

const ROUNDS = 7;
const CALLS_A_ROUND = 300;
const WARM_UP = 200;
const GOAL_ADDED_MS = 1;

interface Lane {
  readonly name: string;
  readonly session: RawSession;
  readonly tool: string;
}

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** `echo` of the public everything server, called directly and through the gate as a read and as a write, in turns. */
export async function gateBench(): Promise<readonly Figure[]> {
  const world = await startWorld();
  const sessions: RawSession[] = [];
  try {
    const { token } = await world.agent('bench', { '*': [{ tool: '*', mode: 'WRITE' }] });
    const open = async (endpoint: string, key?: string): Promise<RawSession> => {
      // What was just granted reaches the gate a moment later.
      const session = await eventually(() => openRawSession(endpoint, key));
      sessions.push(session);
      return session;
    };
    const lanes: Lane[] = [
      { name: 'direct', session: await open(world.everything.url), tool: 'echo' },
      {
        name: 'gate, read',
        session: await open(`${world.gatehouse.url}/s/everything/mcp`, token),
        tool: 'echo',
      },
      { name: 'gate, write', session: await open(await asWrite(world), token), tool: 'echo' },
    ];
    const figures: Figure[] = [];
    for (const concurrency of [1, 16]) figures.push(...(await measure(lanes, concurrency)));
    return figures;
  } finally {
    for (const session of sessions) session.close();
    await world.dispose();
  }
}

/** The same server once more, with `echo` left as a write: what it costs to record the intent first. */
async function asWrite(world: Awaited<ReturnType<typeof startWorld>>): Promise<string> {
  const transport = { streamableHttp: { url: world.everything.url } };
  await world.admin.submit('everything-write', 'Everything', transport);
  const digest = await world.admin.classify('everything-write', 'echo', 'WRITE');
  await world.admin.approve('everything-write', digest);
  return `${world.gatehouse.url}/s/everything-write/mcp`;
}

async function measure(lanes: readonly Lane[], concurrency: number): Promise<Figure[]> {
  const rounds = new Map<string, Round[]>(lanes.map((lane) => [lane.name, []]));
  for (const lane of lanes) await oneRound(lane, concurrency, WARM_UP);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const lane of lanes)
      rounds.get(lane.name)?.push(await oneRound(lane, concurrency, CALLS_A_ROUND));
  }
  const of = (name: string, pick: (round: Round) => number): number =>
    median((rounds.get(name) ?? []).map(pick));
  const direct = of('direct', (round) => round.p50);
  const at = `at ${concurrency} caller${concurrency === 1 ? '' : 's'}`;
  return lanes.flatMap(({ name }) => {
    const p50 = of(name, (round) => round.p50);
    const figures = [
      figure(`${name}, p50 ${at}`, 'ms', p50, name === 'direct' ? {} : { baseline: direct }),
      figure(
        `${name}, p99 ${at}`,
        'ms',
        of(name, (round) => round.p99),
        name === 'direct' ? {} : { baseline: of('direct', (round) => round.p99) },
      ),
      figure(
        `${name}, calls a second ${at}`,
        '1/s',
        of(name, (round) => round.perSecond),
        name === 'direct' ? {} : { baseline: of('direct', (round) => round.perSecond) },
      ),
    ];
    if (name === 'gate, read' && concurrency === 1) {
      figures.push(
        figure(`added by the gate to a read, p50 ${at}`, 'ms', p50 - direct, {
          goal: GOAL_ADDED_MS,
        }),
      );
    }
    return figures;
  });
}

async function oneRound(lane: Lane, concurrency: number, calls: number): Promise<Round> {
  const samples: number[] = [];
  let left = calls;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left > 0) {
        left -= 1;
        samples.push(await lane.session.call(lane.tool, { message: 'x'.repeat(1_000) }));
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  return {
    p50: median(samples),
    p99: quantile(samples, 0.99),
    perSecond: samples.length / seconds,
  };
}
