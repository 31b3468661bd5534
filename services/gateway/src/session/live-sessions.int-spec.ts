import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { topics } from '@gatehouse/event-catalog';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  StreamableHTTPClientTransport,
  type ClientOptions,
} from '@modelcontextprotocol/client';
import {
  eventually,
  everythingStdio,
  startEverythingOverHttp,
  type HttpUpstream,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GateUnderTest, type TestAgent } from '../test/gate-under-test.ts';

// What server-everything offers, as far as these tests need it.
const tool = (name: string) => ({
  name,
  description: `approved ${name}`,
  inputSchema: { type: 'object' },
});
const read = [tool('echo'), tool('trigger-long-running-operation'), tool('get-env')];
const write = [tool('get-sum')];

let http: HttpUpstream;
let gate: GateUnderTest;
const clients: Client[] = [];

beforeAll(async () => {
  http = await startEverythingOverHttp();
  gate = await GateUnderTest.start();
  await gate.roles(
    { name: 'reader', connectors: [{ slug: '*', tools: { '*': 'read' } }] },
    { name: 'editor', connectors: [{ slug: '*', tools: { '*': 'write' } }] },
  );
  await serve();
  await gate.ready();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});
afterAll(async () => {
  await gate?.stop();
  await http?.stop();
});

async function serve(inService = true): Promise<void> {
  await gate.server('web', { kind: 'streamable-http', url: http.url }, { read, write }, inService);
  const { command, args } = everythingStdio();
  await gate.server(
    'local',
    { kind: 'stdio', command, args: [...args], env: { GREETING: 'hi' } },
    { read, write },
  );
}

async function connect(
  agent: TestAgent,
  path = '/mcp',
  options: ClientOptions = {},
): Promise<Client> {
  const client = new Client({ name: 'real-client', version: '7' }, options);
  clients.push(client);
  const transport = new StreamableHTTPClientTransport(new URL(gate.url + path), {
    requestInit: { headers: { authorization: `Bearer ${agent.token}` } },
  });
  await client.connect(transport);
  return client;
}

const names = async (client: Client): Promise<string[]> =>
  (await client.listTools()).tools.map((t) => t.name).toSorted();
const recordsOf = (agent: TestAgent, phase = 'outcome') =>
  gate.records.filter((r) => r.principal?.id === agent.id && r.phase === phase);

describe('a real client', () => {
  it('falls back from the newest protocol to the one the gate speaks', async () => {
    const agent = await gate.agent('auto', ['reader']);
    const client = await connect(agent, '/mcp', { versionNegotiation: { mode: 'auto' } });
    expect(client.getServerVersion()).toEqual({ name: 'gatehouse', version: '0.1.0' });
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
    await eventually(() =>
      expect(recordsOf(agent).map((r) => [r.method, r.reason.code])).toContainEqual([
        'server/discover',
        'protocol-version-unsupported',
      ]),
    );
  });

  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
    'speaks %s',
    async (version) => {
      const agent = await gate.agent('old', ['reader']);
      const client = await connect(agent, '/s/web/mcp', { supportedProtocolVersions: [version] });
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      expect(await names(client)).toEqual(['echo', 'get-env', 'trigger-long-running-operation']);
    },
  );

  it('sees at an endpoint of one server its names untouched, at the common one with the slug before them', async () => {
    const reader = await gate.agent('reader', ['reader']);
    const editor = await gate.agent('editor', ['editor']);
    expect(await names(await connect(reader, '/s/local/mcp'))).toEqual([
      'echo',
      'get-env',
      'trigger-long-running-operation',
    ]);
    expect(await names(await connect(editor, '/s/local/mcp'))).toContain('get-sum');
    expect(await names(await connect(editor))).toEqual(
      ['local', 'web'].flatMap((slug) =>
        ['echo', 'get-env', 'get-sum', 'trigger-long-running-operation'].map(
          (name) => `${slug}__${name}`,
        ),
      ),
    );
  });

  it('is shown the approved copy, not the live text', async () => {
    const client = await connect(await gate.agent('reader', ['reader']), '/s/web/mcp');
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'echo')?.description).toBe('approved echo');
  });

  it.each(['web', 'local'])(
    'calls a tool of server %s and leaves one record of it',
    async (slug) => {
      const agent = await gate.agent('caller', ['reader']);
      const client = await connect(agent);
      const answer = await client.callTool({
        name: `${slug}__echo`,
        arguments: { message: 'hello' },
      });
      expect(answer.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
      const calls = await eventually(() => {
        const found = recordsOf(agent).filter((r) => r.method === 'tools/call');
        expect(found).toHaveLength(1);
        return found;
      });
      expect(calls[0]).toMatchObject({
        server: slug,
        tool: 'echo',
        toolClass: 'read',
        decision: 'allow',
        outcome: 'ok',
        endpoint: '/mcp',
        client: { name: 'real-client', version: '7' },
        principal: { name: 'caller', keyId: agent.keyId, roles: ['reader'] },
        httpStatus: 200,
      });
      expect(calls[0]!.argumentsBytes).toBe(19);
      expect(calls[0]!.resultBytes).toBeGreaterThan(20);
      expect(calls[0]!.sessionRef).toMatch(/^[0-9a-f]{16}$/);
      expect(recordsOf(agent, 'intent')).toEqual([]);
    },
  );

  it('leaves an intent, durable before its outcome, of a call that may change something', async () => {
    const agent = await gate.agent('writer', ['editor']);
    const client = await connect(agent);
    await client.callTool({ name: 'web__get-sum', arguments: { a: 2, b: 3 } });
    const [outcome] = await eventually(() => {
      const found = recordsOf(agent).filter((r) => r.method === 'tools/call');
      expect(found).toHaveLength(1);
      return found;
    });
    const intents = recordsOf(agent, 'intent');
    expect(intents).toHaveLength(1);
    expect(intents[0]).toMatchObject({
      requestId: outcome!.requestId,
      tool: 'get-sum',
      toolClass: 'write',
      outcome: 'unknown',
    });
    expect(intents[0]!.sequence).toBeLessThan(outcome!.sequence);
  });

  it('gives a child process nothing of the gate but what it needs', async () => {
    process.env['GATEHOUSE_PROBE'] = 'secret';
    const client = await connect(await gate.agent('nosy', ['reader']), '/s/local/mcp');
    const { content } = (await client.callTool({ name: 'get-env', arguments: {} })) as {
      content: { text: string }[];
    };
    expect(content[0]!.text).toContain('GREETING');
    expect(content[0]!.text).not.toContain('GATEHOUSE_PROBE');
    delete process.env['GATEHOUSE_PROBE'];
  });
});

describe.each(['web', 'local'])('a call under way at server %s', (slug) => {
  const long = {
    name: `${slug}__trigger-long-running-operation`,
    arguments: { duration: 2, steps: 20 },
  };
  const callRecord = (agent: TestAgent) =>
    eventually(() => {
      const found = recordsOf(agent).filter((r) => r.method === 'tools/call');
      expect(found).toHaveLength(1);
      return found[0]!;
    });

  it('reports progress to the request that asked, each under its own token', async () => {
    const agent = await gate.agent('patient', ['reader']);
    const [a, b] = [await connect(agent), await connect(agent)];
    const seen: Record<string, number[]> = { a: [], b: [] };
    const call = (client: Client, steps: number, into: number[]) =>
      client.callTool(
        { name: long.name, arguments: { duration: 1, steps } },
        { onprogress: ({ total }) => into.push(total ?? 0) },
      );
    const results = await Promise.all([call(a, 4, seen['a']!), call(b, 5, seen['b']!)]);
    expect(results.map((r) => r.isError ?? false)).toEqual([false, false]);
    expect(seen['a']!.length).toBeGreaterThan(1);
    expect(new Set(seen['a'])).toEqual(new Set([4]));
    expect(new Set(seen['b'])).toEqual(new Set([5]));
  });

  it('is cancelled upstream when its caller cancels it', async () => {
    const agent = await gate.agent('fickle', ['reader']);
    const client = await connect(agent);
    const abort = new AbortController();
    const call = client.callTool(long, { signal: abort.signal });
    await sleep(300);
    abort.abort('changed my mind');
    await expect(call).rejects.toThrow();
    expect(await callRecord(agent)).toMatchObject({
      outcome: 'cancelled',
      reason: { code: 'call-cancelled' },
    });
    expect((await callRecord(agent)).durationMs).toBeLessThan(1_500);
  });

  it('is cut when its key is revoked, and its session ends', async () => {
    const agent = await gate.agent('leaver', ['reader']);
    const client = await connect(agent);
    const call = client.callTool(long).catch((error: unknown) => error as Error);
    await sleep(300);
    const at = performance.now();
    await gate.principal({ ...agent.state, keys: [] });
    expect((await call).message).toContain('The call was cut');
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(await callRecord(agent)).toMatchObject({
      outcome: 'cancelled',
      reason: { code: 'call-cut' },
    });
    await expect(client.listTools()).rejects.toThrow(/401|token/i);
  });

  it('is cut while its server is still being connected to', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await gate.server(
      'silent',
      { kind: 'streamable-http', url: `http://127.0.0.1:${port}` },
      { read: [tool('echo')] },
    );
    const agent = await gate.agent('waiting', ['reader']);
    const client = await connect(agent, '/s/silent/mcp');
    const call = client.callTool({ name: 'echo' }).catch((error: unknown) => error as Error);
    await once(silent, 'request');
    await gate.principal({ ...agent.state, keys: [] });
    expect((await call).message).toContain('The call was cut');
    expect(await callRecord(agent)).toMatchObject({ reason: { code: 'call-cut' } });
    silent.closeAllConnections();
    silent.close();
  });

  it('is cut when its grant vanishes, while the session goes on', async () => {
    const agent = await gate.agent('demoted', ['reader']);
    const client = await connect(agent);
    const call = client.callTool(long).catch((error: unknown) => error as Error);
    await sleep(300);
    await gate.principal({ ...agent.state, roles: [] });
    expect((await call).message).toContain('The call was cut');
    expect(await names(client)).toEqual([]);
  });
});

describe('a live session', () => {
  let changes = 0;
  let agent: TestAgent;
  let client: Client;
  beforeEach(async () => {
    changes = 0;
    agent = await gate.agent('live', ['reader']);
    client = await connect(agent);
    client.setNotificationHandler('notifications/tools/list_changed', () => void (changes += 1));
    await eventually(() => expect(recordsOf(agent).map((r) => r.method)).toContain('GET'));
  });

  it('is told when a role widens, and when a server is suspended', async () => {
    expect(await names(client)).not.toContain('web__get-sum');
    await gate.principal({ ...agent.state, roles: ['editor'] });
    await eventually(() => expect(changes).toBe(1));
    expect(await names(client)).toContain('web__get-sum');
    await serve(false);
    await eventually(() => expect(changes).toBe(2));
    expect((await names(client)).filter((name) => name.startsWith('web'))).toEqual([]);
    await expect(client.callTool({ name: 'web__echo', arguments: {} })).rejects.toThrow(
      'Unknown tool: web__echo',
    );
    await serve();
    await eventually(() => expect(changes).toBe(3));
  });

  it('is not told of changes that it cannot see', async () => {
    await gate.server('other', { kind: 'streamable-http', url: http.url }, { write });
    await gate.agent('somebody-else', ['editor']);
    await sleep(300);
    expect(changes).toBe(0);
    await gate.publish(topics.catalogueState, 'other', null);
  });

  it('loses its stream when its agent is disabled', async () => {
    let failures = 0;
    client.onerror = () => void (failures += 1);
    await gate.principal({ ...agent.state, active: false });
    await eventually(() => expect(failures).toBeGreaterThan(0));
    await expect(client.listTools()).rejects.toThrow();
  });

  it('ends when its client says so, and is then unknown', async () => {
    const transport = client.transport as StreamableHTTPClientTransport;
    const { sessionId } = transport;
    await transport.terminateSession();
    const answer = await gate.send('/mcp', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${agent.token}`, 'mcp-session-id': sessionId! },
    });
    expect([answer.status, answer.message.error?.data]).toEqual([
      404,
      { problem: 'session-unknown' },
    ]);
    await eventually(() =>
      expect(
        recordsOf(agent)
          .filter((r) => r.method === 'DELETE')
          .map((r) => r.httpStatus),
      ).toEqual([200, 404]),
    );
  });
});
