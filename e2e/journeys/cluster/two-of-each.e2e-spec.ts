import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator, askGraphQL } from '@gatehouse/standalone';
import {
  eventually,
  startEverythingOverHttp,
  startThrowAwayKafka,
  type HttpUpstream,
  type ThrowAwayKafka,
} from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareCluster, type Cluster } from '../harness/cluster.ts';
import { openDoorSession, type DoorSession } from '../harness/door-session.ts';
import { readTrail, type Record } from '../harness/world.ts';

/** Two of everything that the chart runs twice, in halves: an admin speaks to the owners of its own half only. */
const FIRST = ['identity', 'policy', 'registry', 'audit', 'admin'] as const;
const SECOND = FIRST.map((name) => `${name}-2`);
const ROUNDS = 8;
const AGENT = 'caller';
const ECHO = 'everything__echo';
// What it takes is a second or two; the machine may be busy.
const SOON = { timeoutMs: 30_000, everyMs: 100 };

let kafka: ThrowAwayKafka;
let cluster: Cluster;
let everything: HttpUpstream;
let token: string;
let session: DoorSession;

beforeAll(async () => {
  everything = await startEverythingOverHttp();
  kafka = await startThrowAwayKafka();
  cluster = await prepareCluster({}, { busUrl: `kafka://${kafka.bootstrap}` });
  await cluster.applyTopics();
  await cluster.migrate();
  // Only the first of all writes down the first token.
  await cluster.start('identity');
  await cluster.ready('identity');
  const others = [...FIRST.slice(1), ...SECOND, 'gateway'];
  for (const service of others) await cluster.start(service);
  for (const service of others) await cluster.ready(service);
  token = await cluster.adminToken();
});
afterAll(async () => {
  await cluster?.dispose();
  await kafka?.stop();
  await everything?.stop();
});

type Door = 'admin' | 'admin-2';
const DOORS: readonly Door[] = ['admin', 'admin-2'];

const at = (door: Door): Administrator => new Administrator(cluster.urlOf(door), token);
const askAt =
  (door: Door) =>
  <Data>(query: string, variables: { readonly [name: string]: unknown } = {}): Promise<Data> =>
    askGraphQL<Data>(cluster.urlOf(door), token, query, variables);

async function bundleOf(door: Door, name: string): Promise<number> {
  const { defineRole } = await askAt(door)<{ defineRole: { bundleNumber: number } }>(
    `mutation ($input: DefineRoleInput!) { defineRole(input: $input) { bundleNumber } }`,
    { input: { name, connectors: [] } },
  );
  return defineRole.bundleNumber;
}

async function rolesAt(door: Door): Promise<readonly string[]> {
  const { roles } = await askAt(door)<{ roles: { nodes: readonly { name: string }[] } }>(
    '{ roles(first: 100) { nodes { name } } }',
  );
  return roles.nodes.map(({ name }) => name);
}

/** What the gate answers to one call: ok, or the code of a problem. */
async function word(): Promise<string> {
  const { status, body } = await session.call(ECHO, { message: 'x' });
  if (status === 200 && body.includes('Echo: x')) return 'ok';
  return /"problem":"([\w-]+)"/.exec(body)?.[1] ?? `${status} ${body}`;
}

const resume = (door: Door): Promise<unknown> =>
  askAt(door)(
    `mutation ($input: ResumeServerInput!) { resumeServer(input: $input) { server { slug } } }`,
    { input: { slug: 'everything' } },
  );

/** The change is made, though its own read model hears of it only once the bus has noticed who is gone. */
async function although(change: Promise<unknown>): Promise<void> {
  const outcome = await change.then(
    () => 'done',
    (error: { readonly code?: unknown }) => error.code ?? error,
  );
  expect(['done', 'read-model-behind']).toContain(outcome);
}

describe('two processes of every owner, of audit and of admin', () => {
  it('do the main job together, whichever of them is asked', async () => {
    const { url } = everything;
    await at('admin').submit('everything', 'Everything', { streamableHttp: { url } });
    // A read model hears of the other half by the bus.
    const digest = await eventually(
      () => at('admin-2').classify('everything', 'echo', 'READ'),
      SOON,
    );
    await at('admin').approve('everything', digest);
    await at('admin-2').defineRole('echoes', '', { everything: [{ tool: 'echo', mode: 'READ' }] });
    const agent = await eventually(() => at('admin').createAgent(AGENT, 'echoes'), SOON);
    session = await eventually(() => openDoorSession(cluster.urlOf('gateway'), agent.token), SOON);
    await eventually(async () => expect(await word()).toBe('ok'), SOON);
    await at('admin-2').suspend('everything', 'journey');
    await eventually(async () => expect(await word()).toBe('tool-unknown'), SOON);
    await resume('admin');
    await eventually(async () => expect(await word()).toBe('ok'), SOON);
  });

  it('write roles at the same time, each into a bundle of its own, and lose none', async () => {
    const bundles: number[] = [];
    const names: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const both = DOORS.map((door) => `twin-${round}-of-${door}`);
      names.push(...both);
      bundles.push(
        ...(await Promise.all(
          DOORS.map((door, index) => eventually(() => bundleOf(door, both[index]!), SOON)),
        )),
      );
    }
    expect(new Set(bundles).size).toBe(2 * ROUNDS);
    for (const door of DOORS)
      await eventually(
        async () => expect(await rolesAt(door)).toEqual(expect.arrayContaining(names)),
        SOON,
      );
  });

  it('stand in for each other: half of them is killed under calls, the rest decides, tells and records, and nothing answered is lost', async () => {
    const words: string[] = [];
    const calling = new AbortController();
    const caller = (async () => {
      for (; !calling.signal.aborted; await sleep(30)) words.push(await word());
    })();
    await eventually(() => expect(words.length).toBeGreaterThan(20), SOON);
    await Promise.all(FIRST.map((service) => cluster.stop(service, 'SIGKILL')));
    await although(at('admin-2').suspend('everything', 'half is gone'));
    await eventually(() => expect(words.at(-1)).toBe('tool-unknown'), SOON);
    const until = words.length + 20;
    await although(resume('admin-2'));
    await eventually(() => {
      expect(words.length).toBeGreaterThan(until);
      expect(words.at(-1)).toBe('ok');
    }, SOON);
    calling.abort();
    await caller;
    // A call that is under way when the server is suspended is cut.
    const uncut = words.filter((each) => each !== 'call-cut');
    expect(new Set(uncut)).toEqual(new Set(['ok', 'tool-unknown']));
    await expectOneRecordEach('admin-2', words);
    for (const service of FIRST) await cluster.start(service);
    for (const service of FIRST) await cluster.ready(service);
    await expectOneRecordEach('admin', words);
  });
});

/** Every call since then has one outcome in the trail, and no other is there. */
async function expectOneRecordEach(door: Door, words: readonly string[]): Promise<void> {
  const count = (isOk: boolean): number => words.filter((each) => (each === 'ok') === isOk).length;
  const filter = { principalName: AGENT, method: 'tools/call' };
  await eventually(async () => {
    const records = await readTrail(askAt(door), filter);
    const since = records.slice(0, words.length);
    const isOk = ({ outcome }: Record): boolean => outcome === 'OK';
    expect(since.filter(isOk)).toHaveLength(count(true));
    expect(since.filter((record) => !isOk(record))).toHaveLength(count(false));
    expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(records.length);
  }, SOON);
}
