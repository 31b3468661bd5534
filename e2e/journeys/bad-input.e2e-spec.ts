import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChangeableServer, type OfferedTool } from './harness/changeable-server.ts';
import { startWorld, type Record, type World } from './harness/world.ts';

/** Limits of several services, in the one file that every process of either form is given. */
const SETTINGS = `
gateway:
  callTimeoutMs: 500
  bodyLimitBytes: 100000
admin:
  maxPageSize: 120
registry:
  maxCatalogueBytes: 100000
`;

let folder: string;
let world: World;
let caller: { keyId: string; token: string };
let session: string;
let fickle: Fickle;

/** An MCP server that can turn bad after it was approved. */
interface Fickle {
  mood: 'well' | 'slow' | 'garbage';
  readonly url: string;
  close(): Promise<void>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-settings-'));
  const file = join(folder, 'gatehouse.yaml');
  await writeFile(file, SETTINGS);
  world = await startWorld({ GATEHOUSE_CONFIG: file });
  fickle = await startFickle();
  const { digest } = await world.admin.submit('fickle', 'Fickle', {
    streamableHttp: { url: fickle.url },
  });
  await world.admin.approve('fickle', digest);
  caller = await world.agent('clumsy', {
    everything: [{ tool: 'echo', mode: 'READ' }],
    fickle: [{ tool: '*', mode: 'WRITE' }],
  });
  session = await openSession(caller.token);
  // The way of the records into the trail may itself take a while to open: what is counted below comes after these.
  await eventually(
    async () =>
      expect(
        (await world.trail({ principalName: 'clumsy', method: 'initialize' })).length,
      ).toBeGreaterThan(1),
    { timeoutMs: 20_000, everyMs: 50 },
  );
});

afterAll(async () => {
  await fickle.close();
  await world.dispose();
  await rm(folder, { recursive: true });
});

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

interface Sent {
  readonly path?: string;
  readonly token?: string | null;
  readonly body: unknown;
  readonly headers?: { readonly [name: string]: string };
}

function send({
  path = '/mcp',
  token = caller.token,
  body,
  headers = {},
}: Sent): Promise<Response> {
  return fetch(`${world.gatehouse.url}${path}`, {
    method: 'POST',
    headers: {
      ...HEADERS,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function openSession(token: string): Promise<string> {
  const response = await fetch(`${world.gatehouse.url}/mcp`, {
    method: 'POST',
    headers: { ...HEADERS, authorization: `Bearer ${token}` },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'raw', version: '1' },
      },
    }),
  });
  await response.text();
  expect(response.status).toBe(200);
  const id = response.headers.get('mcp-session-id') ?? '';
  await (
    await send({
      body: { jsonrpc: '2.0', method: 'notifications/initialized' },
      headers: { 'mcp-session-id': id },
    })
  ).text();
  return id;
}

const call = (name: string, args: unknown = {}): unknown => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name, arguments: args },
});

interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly problem: string };
}

/** The JSON-RPC message of an answer, sent plainly or as the one event of a stream. */
async function messageOf(response: Response): Promise<{ id?: unknown; error?: RpcError }> {
  const text = await response.text();
  const data = /^data: (.*)$/m.exec(text)?.[1];
  return JSON.parse(data ?? text) as { error?: RpcError };
}

/** What the trail gained while `work` ran. A gate's records come in the order in which it wrote them, so what lies between two marks is that. */
async function recordsOf(work: () => Promise<unknown>): Promise<readonly Record[]> {
  const before = await mark();
  await work();
  const after = await mark();
  const records = await world.trail();
  return records.filter(({ index }) => index > before && index < after);
}

let marks = 0;

/** Sends a request that is known by its address; the index of its record, once that has come in. */
async function mark(): Promise<number> {
  marks += 1;
  const path = `/s/mark-${marks}/mcp`;
  await (await send({ path, body: call('mark') })).text();
  return eventually(async () => {
    const record = (await world.trail()).find(({ endpoint }) => endpoint === path);
    if (record === undefined) throw new Error(`${path} is not in the trail yet`);
    return record.index;
  });
}

interface Case {
  readonly what: string;
  readonly sent: () => Sent | Promise<Sent>;
  readonly status: number;
  readonly rpcCode: number;
  readonly reason: string;
}

const cases: readonly Case[] = [
  {
    what: 'malformed JSON',
    sent: () => ({ body: '{"jsonrpc":' }),
    status: 400,
    rpcCode: -32700,
    reason: 'json-malformed',
  },
  {
    what: 'another content type',
    sent: () => ({ body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    status: 415,
    rpcCode: -31011,
    reason: 'content-type-unsupported',
  },
  {
    what: 'a batch',
    sent: () => ({ body: [call('everything__echo')] }),
    status: 400,
    rpcCode: -32600,
    reason: 'batch-unsupported',
  },
  {
    what: 'JSON that is no message',
    sent: () => ({ body: { hello: 1 } }),
    status: 400,
    rpcCode: -32600,
    reason: 'message-malformed',
  },
  {
    what: 'an unknown method',
    sent: () => ({ body: { jsonrpc: '2.0', id: 7, method: 'tools/destroy' } }),
    status: 200,
    rpcCode: -32601,
    reason: 'method-unknown',
  },
  {
    what: 'an unknown tool',
    sent: () => ({ body: call('everything__nothing') }),
    status: 200,
    rpcCode: -32602,
    reason: 'tool-unknown',
  },
  {
    what: 'an unknown server',
    sent: () => ({ path: '/s/nowhere/mcp', body: call('echo') }),
    status: 404,
    rpcCode: -31020,
    reason: 'server-unknown',
  },
  {
    what: 'no token',
    sent: () => ({ token: null, body: call('everything__echo') }),
    status: 401,
    rpcCode: -31001,
    reason: 'authentication-required',
  },
  {
    what: 'a garbled token',
    sent: () => ({ token: `${caller.token}x`, body: call('everything__echo') }),
    status: 401,
    rpcCode: -31002,
    reason: 'token-malformed',
  },
  {
    what: 'an expired token',
    sent: async () => ({ token: await expiredToken(), body: call('everything__echo') }),
    status: 401,
    rpcCode: -31003,
    reason: 'token-refused',
  },
  {
    what: 'a revoked token',
    sent: async () => ({ token: await revokedToken(), body: call('everything__echo') }),
    status: 401,
    rpcCode: -31003,
    reason: 'token-refused',
  },
  {
    what: 'a body over the limit',
    sent: () => ({ body: call('everything__echo', { message: 'x'.repeat(100_001) }) }),
    status: 413,
    rpcCode: -31010,
    reason: 'body-too-large',
  },
  {
    what: 'arguments that violate the schema',
    sent: () => ({ body: call('everything__echo', { message: 3 }) }),
    status: 200,
    rpcCode: -32602,
    reason: 'arguments-invalid',
  },
  {
    what: 'a session of nobody',
    sent: () => ({ body: call('everything__echo'), headers: { 'mcp-session-id': 'made-up' } }),
    status: 404,
    rpcCode: -31015,
    reason: 'session-unknown',
  },
];

describe('bad input at the gate', () => {
  it.each(cases)(
    '$what: its catalogued answer, and one record',
    async ({ sent, status, rpcCode, reason }) => {
      const message = await sent();
      let answer: Awaited<ReturnType<typeof messageOf>> | undefined;
      const records = await recordsOf(async () => {
        const response = await send(message);
        expect(response.status).toBe(status);
        answer = await messageOf(response);
      });
      expect(answer?.error).toMatchObject({ code: rpcCode, data: { problem: reason } });
      expect(answer?.error?.message).not.toBe('');
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({ decision: 'DENY', outcome: 'REFUSED', phase: 'OUTCOME' });
      expect(records[0]?.reason.code).toBe(reason);
    },
  );

  it('nothing of it reached a tool: the session still works', async () => {
    const answer = await messageOf(
      await send({ body: call('everything__echo', { message: 'still here' }) }),
    );
    expect(JSON.stringify(answer)).toContain('still here');
  });
});

describe('limits from one file of settings bind', () => {
  it('the admin API too', async () => {
    const page = (first: number) => world.ask(`{ users(first: ${first}) { nodes { id } } }`);
    await expect(page(120)).resolves.toBeDefined();
    await expect(page(121)).rejects.toThrow('at most 120');
  });

  it('the registry too', async () => {
    const described = (size: number): OfferedTool[] => [
      { name: 'talk', description: 'x'.repeat(size), inputSchema: { type: 'object' } },
    ];
    const talkative = await startChangeableServer(described(100_001));
    const streamableHttp = { url: talkative.url };
    await expect(
      world.admin.submit('talkative', 'Talkative', { streamableHttp }),
    ).rejects.toMatchObject({ code: 'upstream-garbled' });
    talkative.offer(described(90_000));
    await expect(world.admin.submit('terse', 'Terse', { streamableHttp })).resolves.toBeDefined();
    await talkative.stop();
  });
});

describe('a server behind the gate that turns bad', () => {
  it.each([
    ['slow', 'upstream-timeout', -31031],
    ['garbage', 'upstream-garbled', -31032],
    ['down', 'upstream-unavailable', -31030],
  ] as const)(
    '%s: its catalogued answer, and one record of the outcome',
    async (mood, reason, rpcCode) => {
      fickle.mood = 'well';
      const fine = await messageOf(await send({ body: call('fickle__look') }));
      expect(fine.error).toBeUndefined();
      if (mood === 'down') await fickle.close();
      else fickle.mood = mood;
      let answer: Awaited<ReturnType<typeof messageOf>> | undefined;
      const records = await recordsOf(async () => {
        answer = await messageOf(await send({ body: call('fickle__look') }));
      });
      expect(answer?.error).toMatchObject({ code: rpcCode, data: { problem: reason } });
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({
        decision: 'ALLOW',
        outcome: 'UPSTREAM_ERROR',
        reason: { code: reason },
      });
    },
  );
});

async function keyOf(name: string): Promise<{ agentId: string }> {
  const { registerAgent } = await world.ask<{ registerAgent: { agent: { id: string } } }>(
    `mutation ($name: String!) { registerAgent(input: { name: $name }) { agent { id } } }`,
    { name },
  );
  return { agentId: registerAgent.agent.id };
}

async function expiredToken(): Promise<string> {
  const { agentId } = await keyOf('expiring');
  const { issueKey } = await world.ask<{ issueKey: { token: string } }>(
    `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token } }`,
    {
      input: {
        principal: { kind: 'AGENT', id: agentId },
        label: 'short',
        expiresAt: new Date(Date.now() + 300).toISOString(),
      },
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 400));
  return issueKey.token;
}

async function revokedToken(): Promise<string> {
  const { token, keyId } = await world.admin.createAgent('revoked', 'viewer');
  const before = await eventually(() =>
    connectCaller(`${world.gatehouse.url}/mcp`, token, 'before'),
  );
  await before.close();
  await world.admin.revokeKey(keyId, 'test');
  await eventually(async () => {
    const refused = await send({ token, body: call('everything__echo') });
    await refused.text();
    expect(refused.status).toBe(401);
  });
  return token;
}

async function startFickle(): Promise<Fickle> {
  const state = { mood: 'well' as Fickle['mood'] };
  const tools = [
    { name: 'look', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
  ];
  const results: { readonly [method: string]: unknown } = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'fickle', version: '1' },
    },
    'tools/list': { tools },
    'tools/call': { content: [{ type: 'text', text: 'seen' }] },
  };
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const message = (body === '' ? {} : JSON.parse(body)) as { id?: unknown; method?: string };
      if (message.id === undefined)
        return void response.writeHead(request.method === 'GET' ? 405 : 202).end();
      if (message.method === 'tools/call' && state.mood === 'slow') return;
      response.setHeader('content-type', 'application/json');
      if (message.method === 'tools/call' && state.mood === 'garbage')
        return void response.end('{"jsonrpc": oops');
      response.end(
        JSON.stringify({
          jsonrpc: '2.0',
          id: message.id,
          result: results[message.method ?? ''] ?? {},
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    get mood() {
      return state.mood;
    },
    set mood(mood) {
      state.mood = mood;
    },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
