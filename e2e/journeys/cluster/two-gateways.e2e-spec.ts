import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDoorSession, type DoorSession } from '../harness/door-session.ts';
import { startHoldingServer, type HoldingServer } from '../harness/holding-server.ts';
import {
  atAllServers,
  errorIn,
  prepareStage,
  type Stage,
  type Subject,
} from '../harness/rights-in-use.ts';
import { endRight, wayNames, waysToEnd, type WayName } from '../harness/rights-taken-away.ts';
import { openWatchedSession } from '../harness/watched-session.ts';
import { startWorld, type World } from '../harness/world.ts';
import { startCallersThroughTheDoor } from './callers-through-the-door.ts';

// Short enough to be seen here, far longer than anything of these journeys is silent.
const SESSION_IDLE_MS = 8_000;
const CALLERS_OF_EACH_NODE = 4;
const CALLS_BEFORE_THE_KILL = 200;

/** What the trail says of a call that was cut in this way. */
const reasons: Readonly<Record<WayName, RegExp>> = {
  'user deactivated': /^key \S+ of user \S+ gives no access any more$/,
  'role revoked': /^The caller holds no role that exists/,
  'server suspended': /^tool hold of holding is in service no more$/,
  'key revoked': /^key \S+ of agent \S+ gives no access any more$/,
  'policy published': /^Role "published" sets tools "hold" of connector "holding" to "off"/,
};

/** What somebody meets whose key gives no access any more; and who has lost one tool. */
const shutOut = { problem: 'token-refused', isLetIn: false, isStreamClosed: true };
const goesOn = { problem: 'tool-unknown', isLetIn: true, isStreamClosed: false };

let world: World;
let holding: HoldingServer;
let stage: Stage;
beforeAll(async () => {
  holding = await startHoldingServer();
  world = await startWorld(
    { GATEHOUSE_GATEWAY_SESSION_IDLE_MS: String(SESSION_IDLE_MS) },
    { kind: 'cluster', bus: 'kafka', gateways: 2, door: 'proxy' },
  );
  stage = await prepareStage(world, holding);
  await world.admin.defineRole('echoer', '', { everything: [{ tool: 'echo', mode: 'READ' }] });
});
afterAll(async () => {
  await world.dispose();
  await holding.stop();
});

async function newEchoer(): Promise<Subject> {
  const user = await stage.newUser();
  await stage.assign(user, 'echoer');
  return user;
}

interface Placed {
  readonly token: string;
  readonly session: DoorSession;
  readonly node: number;
}

const open = (token: string): Promise<DoorSession> => openDoorSession(world.gatehouse.url, token);

/** Keys of this principal, until each of the two nodes serves so many of them. */
async function keysOnBothNodes(subject: Subject, ofEach: number): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  const on = (node: number): Placed[] => placed.filter((one) => one.node === node);
  while (on(0).length < ofEach || on(1).length < ofEach) {
    if (placed.length > 60) throw new Error('the proxy sends every key to the same node');
    const { token } = await stage.newKey(subject);
    const session = await eventually(() => open(token));
    placed.push({ token, session, node: await session.nodeAmong(world.gatehouse.gateUrls) });
  }
  return [...on(0).slice(0, ofEach), ...on(1).slice(0, ofEach)];
}

/** Asks for a path exactly as it is written: fetch would tidy it up. */
function statusOf(path: string): Promise<number> {
  const { hostname, port } = new URL(world.gatehouse.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

describe('two gateways behind the proxy of docker-compose.yml', () => {
  it('share the keys of clients between them, and a client stays with its node', async () => {
    const clients = await keysOnBothNodes(await newEchoer(), 3);
    for (const { token, session, node } of clients) {
      for (const message of ['a', 'b', 'c', 'd']) {
        const answer = await session.call('everything__echo', { message });
        // At the other node, nobody would know this session.
        expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('"result"') });
      }
      const another = await open(token);
      expect(await another.nodeAmong(world.gatehouse.gateUrls)).toBe(node);
    }
  });

  it('have GraphQL beside them at the same door, and nothing else', async () => {
    const answer = await world.ask<{ users: { nodes: readonly unknown[] } }>(
      '{ users { nodes { id } } }',
    );
    expect(answer.users.nodes.length).toBeGreaterThan(0);
    expect(await statusOf('/health/live')).toBe(200);
    for (const path of [
      '/',
      '/metrics',
      '/health/ready',
      '/internal/identity/commands/issue-key',
      '//internal/identity/commands/issue-key',
      '/s/../internal/identity/commands/issue-key',
      '/s/%2e%2e/metrics',
      '/s/everything/../../metrics',
      '/graphql/../metrics',
      '/graphql/metrics',
      '/%6detrics',
    ])
      expect([path, await statusOf(path)]).toEqual([path, 404]);
  });

  it('are heard at once through it: a stream is not held back', async () => {
    const { token } = await world.agent('listener', {
      everything: [{ tool: 'echo', mode: 'READ' }],
    });
    const caller = await connectCaller(`${world.gatehouse.url}/mcp`, token, 'listener');
    const heard = caller.announcements;
    await world.admin.defineRole('listener-role', '', {
      everything: [{ tool: '*', mode: 'WRITE' }],
    });
    // The stream goes on, and is far too short to fill a buffer.
    await eventually(() => expect(caller.announcements).toBeGreaterThan(heard));
    await caller.close();
  });

  it('hear of a client that has left its stream, and end its session in time', async () => {
    const { token } = await world.agent('leaver', {
      everything: [{ tool: 'echo', mode: 'READ' }],
    });
    const session = await open(token);
    const stays = await openWatchedSession(`${world.gatehouse.url}/mcp`, token);
    await stays.listen();
    const leaving = new AbortController();
    const { status } = await session.listen(leaving.signal);
    expect(status).toBe(200);
    leaving.abort();
    await sleep(SESSION_IDLE_MS * 1.5);
    await eventually(
      async () => expect((await session.send({ method: 'ping' })).status).toBe(404),
      // Each question keeps it alive.
      { everyMs: SESSION_IDLE_MS * 1.5, timeoutMs: SESSION_IDLE_MS * 5 },
    );
    expect((await stays.call('everything__echo', { message: 'still' })).body).toContain('still');
    await stays.close();
  });

  it.each(wayNames)('each cut what is under way there, and so does the door: %s', async (name) => {
    const way = await waysToEnd[name](stage);
    const holder = await way.nextHolder();
    onTestFinished(async () => void (await holder.restore?.()));
    const inUse = await stage.use(holder.token, atAllServers);
    onTestFinished(() => inUse.close());
    expect(inUse.entrances).toHaveLength(3);
    const closed = new Set<string>();
    for (const { url, stream } of inUse.entrances) void stream.then(() => closed.add(url));
    await endRight(way, holder, inUse);
    const after = way.endsSessions ? shutOut : goesOn;
    for (const { url, session } of inUse.entrances) {
      const again = await session.call(atAllServers.tool, { name: 'again' });
      const problem = errorIn(again)?.data?.problem;
      const isLetIn = await openDoorSession(url, holder.token).then(
        () => true,
        () => false,
      );
      expect({ problem, isLetIn, isStreamClosed: closed.has(url) }).toEqual(after);
    }
    await expectEachCutOnceInTheTrail(
      holder.subject.id,
      inUse.entrances.map(({ callName }) => callName),
      reasons[name],
    );
  });

  it('stand in for each other: one is killed under load, its clients go on at the other, it comes back, and every answered call is in the trail once', async () => {
    const steady = await newEchoer();
    const clients = await keysOnBothNodes(steady, CALLERS_OF_EACH_NODE);
    const load = await startCallersThroughTheDoor(
      world.gatehouse.url,
      clients.map(({ token }) => token),
    );
    const answered = (node: number): number[] =>
      clients.flatMap((client, index) =>
        client.node === node ? [load.callers[index]!.answered.length] : [],
      );
    await eventually(() => expect(load.answered.length).toBeGreaterThan(CALLS_BEFORE_THE_KILL), {
      timeoutMs: 60_000,
    });
    await world.gatehouse.kill(0);
    const atTheKill = [...answered(0), ...answered(1)];
    // Every client goes on, those of the killed node with a new session at the other.
    await eventually(
      () =>
        [...answered(0), ...answered(1)].forEach((count, index) =>
          expect(count).toBeGreaterThan(atTheKill[index]! + 10),
        ),
      { timeoutMs: 60_000 },
    );
    await expectNodes(
      load.callers.map(({ session }) => session),
      [1],
    );
    await world.gatehouse.start(0);
    // And back, once the proxy sees that its node is ready.
    await eventually(
      () =>
        expectNodes(
          load.callers.map(({ session }) => session),
          [0, 1],
        ),
      { timeoutMs: 60_000, everyMs: 500 },
    );
    await load.stop();
    const { unexpected } = load;
    expect(unexpected).toEqual([]);
    await expectEachOnceInTheTrail(steady.id, load.answered);
  });
});

/** Those of the nodes that hold the sessions, all of them and no other. */
async function expectNodes(
  sessions: readonly DoorSession[],
  nodes: readonly number[],
): Promise<void> {
  const held = await Promise.all(
    sessions.map((session) => session.nodeAmong(world.gatehouse.gateUrls)),
  );
  expect([...new Set(held)].toSorted((one, other) => one - other)).toEqual(nodes);
}

async function expectEachOnceInTheTrail(
  principalId: string,
  answered: readonly string[],
): Promise<void> {
  await eventually(
    async () => {
      const records = (await world.trail({ principalId, method: 'tools/call' })).filter(
        ({ hasArguments }) => hasArguments,
      );
      expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(records.length);
      expect(records.length).toBeGreaterThanOrEqual(answered.length);
    },
    { timeoutMs: 30_000, everyMs: 500 },
  );
  const records = await world.trail({ principalId, method: 'tools/call', outcome: 'OK' });
  const recorded: string[] = [];
  for (const { id } of records) recorded.push((await argumentsOf(id))['message']!);
  expect(new Set(recorded).size).toBe(recorded.length);
  expect(answered.filter((name) => !recorded.includes(name))).toEqual([]);
}

async function expectEachCutOnceInTheTrail(
  principalId: string,
  held: readonly string[],
  why: RegExp,
): Promise<void> {
  const filter = { principalId, method: 'tools/call' };
  await eventually(async () => {
    const cut = await world.trail({ ...filter, outcome: 'CANCELLED' });
    expect(cut.length).toBeGreaterThanOrEqual(held.length);
  });
  const recorded: string[] = [];
  for (const { id, hasArguments, phase, decision, outcome, reason } of await world.trail(filter)) {
    const name = hasArguments ? (await argumentsOf(id))['name']! : '';
    if (!held.includes(name)) continue;
    recorded.push(name);
    expect({ phase, decision, outcome, reason }).toEqual({
      phase: 'OUTCOME',
      decision: 'ALLOW',
      outcome: 'CANCELLED',
      reason: { code: 'call-cut', text: expect.stringMatching(why) },
    });
  }
  expect(recorded.toSorted()).toEqual(held.toSorted());
}

async function argumentsOf(id: string): Promise<Readonly<Record<string, string>>> {
  const { revealArguments } = await world.ask<{
    revealArguments: { arguments: Readonly<Record<string, string>> };
  }>(`query ($id: ID!) { revealArguments(id: $id) { arguments } }`, { id });
  return revealArguments.arguments;
}
