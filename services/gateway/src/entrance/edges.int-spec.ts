import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, ManualClock } from '@gatehouse/testing';
import {
  GateUnderTest,
  initializeBody,
  mcpHeaders,
  type TestAgent,
} from '../test/gate-under-test.ts';
import { startOddServer } from '../test/odd-server.ts';

const ORIGIN = 'https://app.example';
let odd: Awaited<ReturnType<typeof startOddServer>>;

beforeAll(async () => void (odd = await startOddServer()));
afterAll(() => odd?.stop());

async function gateWithAgent(
  settings: Parameters<typeof GateUnderTest.start>[0] = {},
): Promise<{ gate: GateUnderTest; agent: TestAgent }> {
  const gate = await GateUnderTest.start(settings);
  await gate.roles({ name: 'user', connectors: [{ slug: '*', tools: { '*': 'write' } }] });
  await gate.server(
    'odd',
    { kind: 'streamable-http', url: odd.url },
    { read: ['echo', 'slow', 'unhurried'], write: ['change'] },
  );
  const agent = await gate.agent('tester', ['user']);
  await gate.ready();
  return { gate, agent };
}

const post = (token: string, body: object, session?: string, headers = {}) => ({
  method: 'POST',
  headers: { ...mcpHeaders(token, session), ...headers },
  body: JSON.stringify(body),
});
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const callOf = (name: string, id: number) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
const statusOf = async (gate: GateUnderTest, agent: TestAgent) =>
  (await gate.sendOnly('/mcp', post(agent.token, ping))).status;

async function sessionOf(gate: GateUnderTest, agent: TestAgent): Promise<string> {
  const opened = await gate.send('/mcp', post(agent.token, initializeBody()));
  expect(opened.message.result).toMatchObject({ serverInfo: { name: 'gatehouse' } });
  return opened.headers.get('mcp-session-id')!;
}

describe('a gate that has not loaded its state', () => {
  it('refuses everybody, and records that it did', async () => {
    const gate = await GateUnderTest.start();
    const { status, message, outcome, headers } = await gate.send('/mcp', post('gh_x', ping));
    expect([status, message.error?.data, headers.get('retry-after')]).toEqual([
      503,
      { problem: 'not-ready' },
      '1',
    ]);
    expect(outcome).toMatchObject({
      decision: 'deny',
      reason: { code: 'not-ready' },
      bundleNumber: null,
    });
    await gate.stop();
  });

  it('says so also while there is no evidence yet, since that is not what is waited for', async () => {
    const gate = await GateUnderTest.start();
    await gate.evidence.stop();
    const response = await gate.sendOnly('/mcp', post('gh_x', ping));
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { data: { problem: 'not-ready' } } },
    ]);
    await gate.stop();
  });
});

describe('a gate that cannot write evidence', () => {
  it('refuses every request, forwards none, and opens no session', async () => {
    const { gate, agent } = await gateWithAgent();
    const session = await sessionOf(gate, agent);
    // The connection is there already, so that nothing but the gate holds a read back.
    await gate.send('/mcp', post(agent.token, callOf('odd__echo', 9), session));
    const before = odd.called.length;
    await gate.evidence.stop();
    const bodies = [callOf('odd__change', 1), callOf('odd__echo', 2), ping, initializeBody()];
    const tries = bodies.map(async (body) => {
      const response = await gate.sendOnly('/mcp', post(agent.token, body, session));
      return [response.status, response.headers.get('mcp-session-id'), await response.json()];
    });
    for (const [status, opened, body] of await Promise.all(tries)) {
      expect([status, opened]).toEqual([503, null]);
      expect(body).toMatchObject({
        error: { code: -31041, data: { problem: 'evidence-unavailable' } },
      });
    }
    const stream = await gate.sendOnly('/mcp', { headers: mcpHeaders(agent.token, session) });
    expect([stream.status, stream.headers.get('content-type')]).toEqual([503, 'application/json']);
    const ending = await gate.sendOnly('/mcp', {
      method: 'DELETE',
      headers: mcpHeaders(agent.token, session),
    });
    expect(ending.status).toBe(503);
    expect(odd.called.length).toBe(before);
    // The refused DELETE ended nothing.
    await gate.evidence.start();
    expect((await gate.send('/mcp', post(agent.token, ping, session))).status).toBe(200);
    await gate.stop();
  });
});

describe('the rim of the gate', () => {
  let gate: GateUnderTest;
  let agent: TestAgent;
  beforeAll(async () => {
    ({ gate, agent } = await gateWithAgent({
      allowedOrigins: [ORIGIN],
      maxSessionsPerPrincipal: 3,
    }));
  });
  afterAll(() => gate?.stop());

  it('is not asked about other paths', async () => {
    for (const path of ['/', '/mcpx', '/x/mcp', '/graphql']) {
      expect((await gate.sendOnly(path, {})).status).toBe(404);
    }
  });

  it('lets a page of an invited origin in, and tells its browser so beforehand', async () => {
    const asked = await gate.send('/mcp', {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(asked.outcome).toMatchObject({ method: 'OPTIONS', principal: null });
    const answer = await gate.send('/mcp', post(agent.token, ping, undefined, { origin: ORIGIN }));
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    const other = await gate.send('/mcp', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('refuses on a loopback address a host name that does not mean it', async () => {
    const answered = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { ...mcpHeaders(agent.token), host };
        httpRequest(`${gate.url}/mcp`, { method: 'POST', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end(JSON.stringify(ping));
      });
    expect(await answered('rebound.example:8080')).toBe(403);
    expect(await answered('localhost:1')).toBe(400);
  });

  it('takes notifications and responses without an answer, and records them', async () => {
    const session = await sessionOf(gate, agent);
    for (const [body, method] of [
      [{ jsonrpc: '2.0', method: 'notifications/initialized' }, 'notifications/initialized'],
      [
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } },
        'notifications/cancelled',
      ],
      [{ jsonrpc: '2.0', id: 5, result: {} }, 'response'],
    ] as const) {
      const { status, text, outcome } = await gate.send('/mcp', post(agent.token, body, session));
      expect([status, text, outcome.method, outcome.outcome]).toEqual([202, '', method, 'ok']);
    }
  });

  it('takes an id once at a time', async () => {
    const session = await sessionOf(gate, agent);
    const first = gate.sendOnly('/mcp', post(agent.token, callOf('odd__slow', 4), session));
    await eventually(() => expect(odd.called).toContain('slow'));
    const second = await gate.send('/mcp', post(agent.token, callOf('odd__slow', 4), session));
    expect([second.status, second.message.error?.data]).toEqual([
      400,
      { problem: 'message-malformed' },
    ]);
    await gate.send(
      '/mcp',
      post(
        agent.token,
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 4 } },
        session,
      ),
    );
    expect(await (await first).json()).toMatchObject({ id: 4, error: { code: -31034 } });
  });

  it('gives the stream of a session to whoever of its owners asks last', async () => {
    const session = await sessionOf(gate, agent);
    const open = () => gate.sendOnly('/mcp', { headers: mcpHeaders(agent.token, session) });
    const first = await open();
    const second = await open();
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await first.text()).toBe('');
    await second.body!.cancel();
  });

  it('counts who a caller is when the last of the body has come, not the first', async () => {
    const slow = await gate.agent('slow', ['user']);
    const userAgent = 'probe/slow-body';
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const headers = { ...mcpHeaders(slow.token), 'user-agent': userAgent };
      const sending = httpRequest(`${gate.url}/mcp`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
      sending.write('{"jsonrpc":"2.0",');
      void sleep(100)
        .then(() => gate.principal({ ...slow.state, active: false }))
        .then(() => eventually(async () => expect(await statusOf(gate, slow)).toBe(401)))
        .then(() => sending.end('"id":1,"method":"ping"}'), reject);
    });
    expect(await answered).toBe(401);
    const { reason, principal } = await gate.recorded(userAgent);
    expect(reason.text).toContain('ended while the body was sent');
    expect(principal?.id).toBe(slow.id);
  });

  it('opens no more sessions for a principal than it may hold', async () => {
    const greedy = await gate.agent('greedy', ['user']);
    for (let n = 0; n < 3; n += 1) await sessionOf(gate, greedy);
    const { status, message } = await gate.send('/mcp', post(greedy.token, initializeBody()));
    expect([status, message.error?.data]).toEqual([503, { problem: 'overloaded' }]);
  });

  it('goes on with a session under another key of the same principal', async () => {
    const owner = await gate.agent('owner', ['user']);
    const spare = await gate.agent('spare', ['user']);
    const session = await sessionOf(gate, owner);
    await gate.principal({ ...spare.state, active: false, keys: [] });
    await gate.principal({ ...owner.state, keys: [...owner.state.keys, ...spare.state.keys] });
    const withSpare = () => gate.send('/mcp', post(spare.token, ping, session));
    await eventually(async () => expect((await withSpare()).status).toBe(200));
    await gate.principal({ ...owner.state, keys: spare.state.keys });
    await eventually(async () => expect(await statusOf(gate, owner)).toBe(401));
    expect((await withSpare()).status).toBe(200);
  });
});

describe('a session, by the clock', () => {
  it('ends with its stream when its key runs out, and when nothing went on in it', async () => {
    const clock = new ManualClock(new Date());
    const { gate } = await gateWithAgent({ clock, sessionIdleMs: 400 });
    const notAfter = new Date(clock.now().getTime() + 60_000).toISOString();
    const brief = await gate.agent('brief', ['user'], notAfter);
    const [idle, session] = [await sessionOf(gate, brief), await sessionOf(gate, brief)];
    const stream = await gate.sendOnly('/mcp', { headers: mcpHeaders(brief.token, session) });
    await sleep(1_200);
    const statuses = [idle, session].map(
      async (id) => (await gate.send('/mcp', post(brief.token, ping, id))).status,
    );
    expect(await Promise.all(statuses)).toEqual([404, 200]);
    clock.advance(61_000);
    const at = performance.now();
    expect(await stream.text()).toBe('');
    expect(performance.now() - at).toBeLessThan(1_000);
    await gate.stop();
  });
});

describe('a gate that stops', () => {
  it('lets a call finish that is soon done, and answers it', async () => {
    const { gate, agent } = await gateWithAgent();
    const session = await sessionOf(gate, agent);
    const called = odd.called.length;
    const call = gate.sendOnly('/mcp', post(agent.token, callOf('odd__unhurried', 9), session));
    await eventually(() => expect(odd.called.length).toBeGreaterThan(called));
    await gate.gate.worker.stop();
    expect(await (await call).json()).toMatchObject({ id: 9, result: { content: [] } });
    await eventually(() => {
      const records = gate.records.filter(({ tool }) => tool === 'unhurried');
      expect(records.map(({ outcome }) => outcome)).toEqual(['ok']);
    });
    await gate.stop();
  });

  it('cuts what is under way after its grace, records it, and then takes nothing more', async () => {
    const { gate, agent } = await gateWithAgent();
    const session = await sessionOf(gate, agent);
    const called = odd.called.length;
    const call = gate.sendOnly('/mcp', post(agent.token, callOf('odd__slow', 8), session));
    await eventually(() => expect(odd.called.length).toBeGreaterThan(called));
    const worker = gate.gate.worker;
    const stopped = worker.stop();
    expect((await gate.send('/mcp', post(agent.token, ping, session))).status).toBe(503);
    expect(await (await call).json()).toMatchObject({ error: { data: { problem: 'call-cut' } } });
    await stopped;
    await eventually(() =>
      expect(gate.records.filter((r) => r.tool === 'slow').map((r) => r.outcome)).toEqual([
        'cancelled',
      ]),
    );
    await gate.stop();
  });
});
