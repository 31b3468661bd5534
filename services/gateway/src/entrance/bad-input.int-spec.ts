import { problem, type ProblemCode } from '@gatehouse/problem-catalog';
import { freePort, ManualClock } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  initializeBody,
  mcpHeaders,
  type Exchanged,
  GateUnderTest,
  type TestAgent,
} from '../test/gate-under-test.ts';
import { startNoise, startOddServer } from '../test/odd-server.ts';

const clock = new ManualClock(new Date());
let gate: GateUnderTest;
let agent: TestAgent;
let session: string;
let noise: Awaited<ReturnType<typeof startNoise>>;
let odd: Awaited<ReturnType<typeof startOddServer>>;

beforeAll(async () => {
  odd = await startOddServer();
  noise = await startNoise();
  gate = await GateUnderTest.start({
    clock,
    callTimeoutMs: 300,
    connectTimeoutMs: 500,
    bodyLimitBytes: 10_000,
    resultLimitBytes: 50_000,
  });
  await gate.roles({
    name: 'user',
    connectors: [{ slug: '*', tools: { '*': 'write', hidden: 'off' } }],
  });
  const http = (url: string) => ({ kind: 'streamable-http' as const, url });
  const strict = {
    name: 'strict',
    inputSchema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
  };
  const tools = {
    read: [
      'echo',
      'slow',
      'garbage',
      'wrong-id',
      'no-rpc',
      'plain',
      'empty',
      'broken-stream',
      'huge',
      'huge-stream',
      'fails',
      'hidden',
      strict,
    ],
  };
  await gate.server('odd', http(odd.url), tools);
  await gate.server('down', http(`http://127.0.0.1:${await freePort()}/mcp`), { read: ['echo'] });
  await gate.server('mute', http(`${odd.url}/mute`), { read: ['echo'] });
  await gate.server('rude', http(`${odd.url}/rude`), { read: ['echo'] });
  await gate.server('noise', http(noise.url), { read: ['echo'] });
  await gate.server('suspended', http(odd.url), { read: ['echo'] }, false);
  agent = await gate.agent('tester', ['user']);
  await gate.ready();
  session = await open('/mcp');
});
afterAll(async () => {
  await gate?.stop();
  await odd?.stop();
  noise?.stop();
});

async function open(path: string): Promise<string> {
  const answer = await post(path, initializeBody(), { session: null });
  expect(answer.status).toBe(200);
  return answer.headers.get('mcp-session-id')!;
}

function post(
  path: string,
  body: unknown,
  {
    headers = {},
    session: id = session,
  }: { headers?: Record<string, string>; session?: string | null } = {},
): Promise<Exchanged> {
  return gate.send(path, {
    method: 'POST',
    headers: { ...mcpHeaders(agent.token, id ?? undefined), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const request = (method: string, params?: object, id: unknown = 7) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params && { params }),
});
const call = (name: string, args?: object) =>
  post('/mcp', request('tools/call', { name, ...(args && { arguments: args }) }));

function expectProblem(
  { status, message, outcome }: Exchanged,
  code: ProblemCode,
  id: unknown = null,
): void {
  const { rpcCode, status: httpStatus } = problem(code);
  expect(message).toMatchObject({
    jsonrpc: '2.0',
    id,
    error: { code: rpcCode, data: { problem: code } },
  });
  expect(status).toBe(httpStatus);
  expect(outcome).toMatchObject({ httpStatus, rpcCode });
}
const refused = (code: string) => ({ decision: 'deny', outcome: 'refused', reason: { code } });

describe('a request that is no MCP request', () => {
  it('is refused for malformed JSON', async () => {
    const answer = await post('/mcp', '{"jsonrpc": "2.0", ');
    expectProblem(answer, 'json-malformed');
    expect(answer.outcome).toMatchObject({
      ...refused('json-malformed'),
      method: 'http',
      principal: { id: agent.id },
    });
  });

  it('is refused for JSON nested beyond reason', async () => {
    expectProblem(await post('/mcp', `${'['.repeat(300)}${']'.repeat(300)}`), 'json-malformed');
  });

  it('is refused for a wrong content type', async () => {
    const answer = await post('/mcp', request('ping'), {
      headers: { 'content-type': 'text/plain' },
    });
    expectProblem(answer, 'content-type-unsupported');
    expect(answer.outcome).toMatchObject(refused('content-type-unsupported'));
  });

  it('is refused for a compressed body', async () => {
    const answer = await post('/mcp', request('ping'), { headers: { 'content-encoding': 'gzip' } });
    expectProblem(answer, 'content-type-unsupported');
  });

  it.each(['application/json', 'text/event-stream', '*/*', ''])(
    'is refused for not naming both forms of an answer: Accept %j',
    async (accept) => {
      const answer = await post('/mcp', request('ping'), { headers: { accept } });
      expectProblem(answer, 'not-acceptable');
      const sentence = 'Accept does not name both application/json and text/event-stream';
      expect(answer.outcome).toMatchObject({ reason: { code: 'not-acceptable', text: sentence } });
      expect(answer.message).toMatchObject({
        error: {
          message: 'The header Accept must name both application/json and text/event-stream.',
        },
      });
    },
  );

  it('is refused as a batch', async () => {
    const answer = await post('/mcp', [request('ping'), request('tools/list', {}, 8)]);
    expectProblem(answer, 'batch-unsupported');
    expect(answer.outcome).toMatchObject(refused('batch-unsupported'));
  });

  it('is refused for not being JSON-RPC', async () => {
    expectProblem(
      await post('/mcp', { jsonrpc: '1.0', id: 3, method: 'ping' }),
      'message-malformed',
      3,
    );
    expectProblem(await post('/mcp', { hello: 'world' }), 'message-malformed');
  });

  it('is refused for an unknown method, with its id', async () => {
    const answer = await post('/mcp', request('resources/list', {}, 'abc'));
    expectProblem(answer, 'method-unknown', 'abc');
    expect(answer.outcome).toMatchObject({
      ...refused('method-unknown'),
      method: 'resources/list',
    });
  });

  it('is refused for an HTTP method that MCP has no use for', async () => {
    const answer = await gate.send('/mcp', {
      method: 'PUT',
      headers: mcpHeaders(agent.token),
      body: '{}',
    });
    expectProblem(answer, 'http-method-unsupported');
    expect(answer.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  it('is refused for a body over the limit, announced or not', async () => {
    const large = JSON.stringify(request('ping', { padding: 'x'.repeat(20_000) }));
    expectProblem(await post('/mcp', large), 'body-too-large');
    const stream = new Blob([large]).stream();
    const answer = await gate.send('/mcp', {
      method: 'POST',
      headers: mcpHeaders(agent.token, session),
      body: stream,
      duplex: 'half',
    });
    expectProblem(answer, 'body-too-large');
    expect(answer.outcome).toMatchObject(refused('body-too-large'));
  });

  it('is refused from a web origin that was not invited, and for a host name that is not the gate', async () => {
    const answer = await post('/mcp', request('ping'), {
      headers: { origin: 'https://evil.example' },
    });
    expectProblem(answer, 'origin-refused');
    expect(answer.outcome.principal).toBeNull();
  });

  it('is refused in a version that the gate does not speak, naming those it does', async () => {
    for (const answer of [
      await post('/mcp', request('ping'), { headers: { 'mcp-protocol-version': '2026-07-28' } }),
      await post(
        '/mcp',
        request('server/discover', {
          _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
        }),
      ),
    ]) {
      expectProblem(answer, 'protocol-version-unsupported', 7);
      expect(answer.message.error?.data).toMatchObject({
        requested: '2026-07-28',
        supported: expect.arrayContaining(['2025-11-25']),
      });
    }
  });
});

describe('a request without a session of its own', () => {
  it('is refused when it names none', async () => {
    expectProblem(await post('/mcp', request('ping'), { session: null }), 'session-required', 7);
  });

  it('is refused alike for a session that never was and for one of somebody else or another endpoint', async () => {
    const never = await post('/mcp', request('ping'), { session: 'f00' });
    expectProblem(never, 'session-unknown', 7);
    const stranger = await gate.agent('stranger', ['user']);
    const foreign = await post('/mcp', request('ping'), {
      headers: { authorization: `Bearer ${stranger.token}` },
    });
    const elsewhere = await post('/s/odd/mcp', request('ping'));
    expect([foreign.status, foreign.text]).toEqual([never.status, never.text]);
    expect([elsewhere.status, elsewhere.text]).toEqual([never.status, never.text]);
  });
});

describe('a token', () => {
  const withToken = (authorization: string | undefined) => {
    const { authorization: _, ...headers } = mcpHeaders('');
    return gate.send('/mcp', {
      method: 'POST',
      headers: authorization === undefined ? headers : { ...headers, authorization },
      body: JSON.stringify(request('ping')),
    });
  };

  it('must be there', async () => {
    const answer = await withToken(undefined);
    expectProblem(answer, 'authentication-required');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.outcome).toMatchObject({
      ...refused('authentication-required'),
      principal: null,
    });
  });

  it('must not be garbled', async () => {
    expectProblem(await withToken(`Bearer ${agent.token.slice(0, -1)}`), 'token-malformed');
    expectProblem(await withToken('Bearer hello'), 'token-malformed');
  });

  it('must not be expired', async () => {
    const expiring = await gate.agent(
      'brief',
      ['user'],
      new Date(clock.now().getTime() + 60_000).toISOString(),
    );
    expect((await withToken(`Bearer ${expiring.token}`)).status).toBe(400);
    clock.advance(61_000);
    const answer = await withToken(`Bearer ${expiring.token}`);
    expectProblem(answer, 'token-refused');
    expect(answer.outcome.reason.text).toMatch(/^key \w+ (?:has )?ended/);
  });

  it('must not be revoked', async () => {
    const revoked = await gate.agent('former', ['user']);
    expect((await withToken(`Bearer ${revoked.token}`)).status).toBe(400);
    await gate.principal({ ...revoked.state, keys: [] });
    let answer = await withToken(`Bearer ${revoked.token}`);
    for (let tries = 0; answer.status !== 401 && tries < 200; tries += 1)
      answer = await withToken(`Bearer ${revoked.token}`);
    expectProblem(answer, 'token-refused');
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
  });
});

describe('a server or tool that is not there for the caller', () => {
  it('answers alike, byte for byte, whether it is missing, suspended or hidden', async () => {
    const blind = await gate.agent('blind', []);
    const probe = (path: string, token: string) =>
      post(path, request('tools/call', { name: 'echo' }), {
        headers: { authorization: `Bearer ${token}` },
      });
    const missing = await post('/s/never/mcp', request('tools/call', { name: 'echo' }));
    const suspended = await post('/s/suspended/mcp', request('tools/call', { name: 'echo' }));
    const hidden = await probe('/s/odd/mcp', blind.token);
    expectProblem(missing, 'server-unknown', 7);
    expect([suspended.status, suspended.text]).toEqual([missing.status, missing.text]);
    expect([hidden.status, hidden.text]).toEqual([missing.status, missing.text]);
    expect(hidden.outcome).toMatchObject({
      ...refused('server-unknown'),
      server: 'odd',
      tool: 'echo',
    });
  });

  it('is an unknown tool, whether it is missing, hidden or of a suspended server', async () => {
    const answers = [
      await call('odd__never'),
      await call('odd__hidden'),
      await call('suspended__echo'),
      await call('never__echo'),
      await call('echo'),
    ];
    const [reasons, texts] = [
      answers.map((a) => a.outcome.reason.code),
      answers.map((a) => a.text),
    ];
    for (const answer of answers) expectProblem(answer, 'tool-unknown', 7);
    expect(texts[1]).toBe(texts[0]!.replace('odd__never', 'odd__hidden'));
    expect(texts[2]).toBe(texts[0]!.replace('odd__never', 'suspended__echo'));
    expect(texts[0]).toContain('"message":"Unknown tool: odd__never"');
    expect(reasons).toEqual([
      'tool-unknown',
      'mode-off',
      'tool-unknown',
      'tool-unknown',
      'tool-unknown',
    ]);
    expect(answers.map((a) => a.headers.get('content-type'))).toEqual(
      answers.map(() => 'application/json'),
    );
  });
});

describe('arguments that break the approved schema', () => {
  it('never reach the server', async () => {
    const answer = await call('odd__strict', { a: 1 });
    expectProblem(answer, 'arguments-invalid', 7);
    expect(answer.message.error?.message).toBe('Invalid arguments: `/a` must be string.');
    expect(answer.outcome).toMatchObject({
      ...refused('arguments-invalid'),
      tool: 'strict',
      argumentsBytes: 7,
    });
    expectProblem(await call('odd__strict'), 'arguments-invalid', 7);
    expect(odd.called).not.toContain('strict');
  });
});

describe('a server behind the gate', () => {
  const failed = (code: string) => ({
    decision: 'allow',
    outcome: 'upstream-error',
    reason: { code },
  });

  it('is unavailable when it is down', async () => {
    const answer = await call('down__echo');
    expectProblem(answer, 'upstream-unavailable', 7);
    expect(answer.outcome).toMatchObject({ ...failed('upstream-unavailable'), server: 'down' });
  });

  it('runs into the deadline when it is slow, and is told to stop', async () => {
    const answer = await call('odd__slow');
    expectProblem(answer, 'upstream-timeout', 7);
    expect(answer.outcome).toMatchObject(failed('upstream-timeout'));
    await expect.poll(() => odd.cancelled).toHaveLength(1);
  });

  it('runs into the deadline when it is mute from the start', async () => {
    expectProblem(await call('mute__echo'), 'upstream-timeout', 7);
  });

  it.each([
    'garbage',
    'wrong-id',
    'no-rpc',
    'plain',
    'empty',
    'broken-stream',
    'huge',
    'huge-stream',
  ])('is garbled when it answers %s', async (tool) => {
    const answer = await call(`odd__${tool}`);
    expectProblem(answer, 'upstream-garbled', 7);
    expect(answer.outcome).toMatchObject({ ...failed('upstream-garbled'), tool });
  });

  it('is garbled when it does not even speak HTTP', async () => {
    expectProblem(await call('noise__echo'), 'upstream-garbled', 7);
  });

  it('is garbled when it answers the handshake with garbage', async () => {
    expectProblem(await call('rude__echo'), 'upstream-garbled', 7);
  });

  it('still serves the next call after each of these', async () => {
    const answer = await call('odd__echo', { say: 'hello' });
    expect(answer.message.result).toEqual({
      content: [{ type: 'text', text: '{"say":"hello"}' }],
      odd: { kept: true },
    });
    expect(answer.outcome).toMatchObject({
      outcome: 'ok',
      decision: 'allow',
      reason: { code: 'granted' },
      rpcCode: null,
    });
  });

  it('may fail with an error of its own, which the caller sees', async () => {
    const answer = await call('odd__fails');
    expect(answer.message.error).toEqual({
      code: -32000,
      message: 'no luck today',
      data: { luck: 0 },
    });
    expect(answer.outcome).toMatchObject({ outcome: 'upstream-error', rpcCode: -32000 });
  });

  it('never sees the token of the caller', () => {
    expect(odd.authorizations).toEqual([]);
  });
});

describe('the evidence of all this', () => {
  it('has exactly one outcome for every request', () => {
    const outcomes = gate.records.filter((record) => record.phase === 'outcome');
    expect(new Set(outcomes.map((record) => record.requestId)).size).toBe(outcomes.length);
    expect(outcomes.length).toBeGreaterThan(40);
  });
});
