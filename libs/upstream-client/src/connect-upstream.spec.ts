import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transport } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import {
  eventually,
  everythingStdio,
  filesystemStdio,
  startEverythingOverHttp,
} from '@gatehouse/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { connectUpstream, type UpstreamSettings } from './index.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const settings: UpstreamSettings = {
  stdioCommands: [process.execPath],
  connectTimeoutMs: 10_000,
  maxMessageBytes: 1_000_000,
  clientInfo: { name: 'gatehouse', version: '0.1.0' },
};

const stdio = ({ command, args }: { command: string; args: readonly string[] }): Transport => ({
  kind: 'stdio',
  command,
  args: [...args],
  env: {},
});

const node = (script: string): Transport =>
  stdio({ command: process.execPath, args: ['-e', script] });

async function connect(transport: Transport, overrides: Partial<UpstreamSettings> = {}) {
  const upstream = await connectUpstream(transport, { ...settings, ...overrides });
  cleanups.push(() => upstream.close());
  return upstream;
}

async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const thrown = await work.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  );
  if (thrown instanceof Refusal) return thrown;
  throw thrown;
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-upstream-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly _meta?: { readonly progressToken?: number } };
}
type Answer = (message: Message, response: ServerResponse) => void;

/** A small HTTP server that answers each JSON-RPC message as told. */
async function httpServer(answer: Answer): Promise<Transport> {
  const server = createServer((request, response) => {
    if (request.method === 'POST')
      void readBody(request).then((body) => answer(JSON.parse(body), response));
    else response.writeHead(405).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    kind: 'streamable-http',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

const json = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

/** Shakes hands as it should, then leaves the rest to the test. */
const afterHandshake =
  (then: Answer): Answer =>
  (message, response) => {
    if (message.method === 'initialize') {
      json(response, {
        jsonrpc: '2.0',
        id: message.id,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'small', version: '1.0.0' },
        },
      });
    } else if (message.id === undefined) response.writeHead(202).end();
    else then(message, response);
  };

describe('with real servers', () => {
  it('shakes hands and lists tools over Streamable HTTP', async () => {
    const everything = await startEverythingOverHttp();
    cleanups.push(() => everything.stop());
    const upstream = await connect({ kind: 'streamable-http', url: everything.url });
    expect(upstream.server.protocolVersion).toBe('2025-11-25');
    const answer = await upstream.request('tools/list', {}, { timeoutMs: 5_000 });
    expect(answer).toMatchObject({ kind: 'result', result: { tools: expect.any(Array) } });
  });

  it('shakes hands over stdio, and takes no request once closed', async () => {
    const upstream = await connect(stdio(everythingStdio()));
    const answer = await upstream.request('tools/list', {}, { timeoutMs: 5_000 });
    expect(answer.kind).toBe('result');
    await upstream.close();
    const after = await refusalOf(upstream.request('tools/list', {}, { timeoutMs: 5_000 }));
    expect(after.code).toBe('upstream-unavailable');
  });

  it('passes an error of the server on as it came', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-upstream-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const upstream = await connect(stdio(filesystemStdio(folder)));
    const answer = await upstream.request('no/such-method', {}, { timeoutMs: 5_000 });
    expect(answer).toMatchObject({ kind: 'error', error: { code: -32_601 } });
  });
});

describe('what an upstream may not do', () => {
  it('refuses a command that the operator did not allow, and starts nothing', async () => {
    const folder = await emptyFolder();
    const trace = node(`fs.writeFileSync(${JSON.stringify(join(folder, 'started'))}, '')`);
    for (const command of ['/usr/bin/node-but-not', `${process.execPath} `, 'node']) {
      const refusal = await refusalOf(connect(trace, { stdioCommands: [command] }));
      expect(refusal.code).toBe('command-not-allowed');
    }
    expect(await readdir(folder)).toEqual([]);
    // The same command, allowed, leaves its trace before it ends.
    await refusalOf(connect(trace));
    expect(await readdir(folder)).toEqual(['started']);
  });

  it('is shown nothing of our environment beyond what the server was given', async () => {
    process.env['GATEHOUSE_TEST_SECRET'] = 'do-not-pass-on';
    const upstream = await refusalOf(
      connect(node('process.stderr.write(JSON.stringify(process.env)); process.exit(1)')),
    );
    delete process.env['GATEHOUSE_TEST_SECRET'];
    expect(upstream.internal).toContain('"PATH"');
    expect(upstream.internal).not.toContain('do-not-pass-on');
  });

  it('may not be spoken to through a shell', async () => {
    const refusal = await refusalOf(
      connect(stdio({ command: `${process.execPath} -e 1`, args: [] }), {
        stdioCommands: [`${process.execPath} -e 1`],
      }),
    );
    expect(refusal.code).toBe('upstream-unavailable');
    expect(refusal.internal).toContain('ENOENT');
  });

  it('is given its arguments as they are: nothing in them is a command', async () => {
    const folder = await emptyFolder();
    const args = [
      '$(touch a)',
      '`touch b`',
      '; touch c',
      '| touch d',
      '*',
      '"',
      "'",
      '\n',
      '$HOME',
    ];
    const script = `process.chdir(${JSON.stringify(folder)}); process.stderr.write(JSON.stringify(process.argv.slice(1))); process.exit(1)`;
    const { internal } = await refusalOf(
      connect(stdio({ command: process.execPath, args: ['-e', script, '--', ...args] })),
    );
    expect(internal).toContain(JSON.stringify(args));
    expect(await readdir(folder)).toEqual([]);
  });

  it('is called garbled when one message is larger than the limit', async () => {
    const transport = await httpServer(
      afterHandshake(({ id }, response) =>
        json(response, { jsonrpc: '2.0', id, result: { text: 'x'.repeat(2_000) } }),
      ),
    );
    const upstream = await connect(transport, { maxMessageBytes: 1_000 });
    const refusal = await refusalOf(upstream.request('tools/list', {}, { timeoutMs: 5_000 }));
    expect(refusal).toMatchObject({
      code: 'upstream-garbled',
      internal: 'a message is larger than 1000 bytes',
    });
  });

  it('is held to the limit on stdout too', async () => {
    const refusal = await refusalOf(
      connect(node('process.stdout.write("x".repeat(50_000)); process.stdin.resume()'), {
        maxMessageBytes: 10_000,
      }),
    );
    expect(refusal.code).toBe('upstream-garbled');
  });

  it('does not lead us to another origin', async () => {
    const transport = await httpServer((_message, response) => {
      response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end();
    });
    const refusal = await refusalOf(connect(transport));
    expect(refusal.code).toBe('upstream-unavailable');
    expect(refusal.internal).toContain('Redirect to http://169.254.169.254/latest not followed');
  });
});

describe('failures, told apart', () => {
  it('names the connection that was refused', async () => {
    const refusal = await refusalOf(
      connect({ kind: 'streamable-http', url: 'http://127.0.0.1:1/mcp' }),
    );
    expect(refusal.code).toBe('upstream-unavailable');
    expect(refusal.internal).toMatch(/ECONNREFUSED|bad port/);
    expect(refusal.detail).toBeUndefined();
  });

  it.each([
    ['no JSON', '<html>', 'it answered something that is not JSON'],
    ['no JSON-RPC', { hello: 'world' }, 'it answered something that is not JSON-RPC 2.0'],
  ])('calls %s garbled', async (_name, body, internal) => {
    const transport = await httpServer((_message, response) => json(response, body));
    const refusal = await refusalOf(connect(transport));
    expect(refusal).toMatchObject({ code: 'upstream-garbled', internal });
  });

  it('calls another content type garbled', async () => {
    const transport = await httpServer((_message, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    });
    expect((await refusalOf(connect(transport))).code).toBe('upstream-garbled');
  });

  it('calls an answer to initialize that lacks its parts garbled', async () => {
    const transport = await httpServer(({ id }, response) =>
      json(response, { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25' } }),
    );
    const refusal = await refusalOf(connect(transport));
    expect(refusal.code).toBe('upstream-garbled');
    expect(refusal.internal).toContain('capabilities');
  });

  it('calls a protocol version that nobody knows garbled', async () => {
    const transport = await httpServer(({ id }, response) =>
      json(response, {
        jsonrpc: '2.0',
        id,
        result: {
          protocolVersion: '1999-01-01',
          capabilities: {},
          serverInfo: { name: 'old', version: '1' },
        },
      }),
    );
    const refusal = await refusalOf(connect(transport));
    expect(refusal).toMatchObject({ code: 'upstream-garbled' });
    expect(refusal.internal).toContain('1999-01-01');
  });

  it('calls a stream garbled that ends with something that is no message', async () => {
    const transport = await httpServer((_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: garbage\n\n');
    });
    expect((await refusalOf(connect(transport))).code).toBe('upstream-garbled');
  });

  it.each([
    ['another id', (id: unknown) => ({ jsonrpc: '2.0', id: Number(id) + 7, result: {} })],
    ['its id as a text', (id: unknown) => ({ jsonrpc: '2.0', id: String(id), result: {} })],
  ])('calls an answer with %s garbled, at once', async (_name, answer) => {
    const transport = await httpServer(
      afterHandshake(({ id }, response) => json(response, answer(id))),
    );
    const upstream = await connect(transport);
    const refusal = await refusalOf(upstream.request('tools/list', {}, { timeoutMs: 60_000 }));
    expect(refusal).toMatchObject({
      code: 'upstream-garbled',
      internal: 'what it responded is no answer to the request',
    });
  });

  it('calls a stream that ends without an answer garbled, and one that breaks off unavailable', async () => {
    const transport = await httpServer(
      afterHandshake(({ method }, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        if (method === 'tools/list') response.end(': nothing\n\n');
        else response.write(': wait\n\n', () => response.destroy());
      }),
    );
    const upstream = await connect(transport);
    const codeOf = async (method: string) =>
      (await refusalOf(upstream.request(method, {}, { timeoutMs: 60_000 }))).code;
    expect(await codeOf('tools/call')).toBe('upstream-unavailable');
    expect(await codeOf('tools/list')).toBe('upstream-garbled');
  });

  it.each([
    ['400', 400, { code: -32_022, message: 'Unsupported', data: { supported: ['2026-07-28'] } }],
    ['404', 404, { code: -32_601, message: 'Method not found' }],
    ['an error', 200, { code: -32_601, message: 'Method not found' }],
  ])('says so when a server that answers %s knows no handshake', async (_name, status, error) => {
    const transport = await httpServer(({ id }, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    });
    const refusal = await refusalOf(connect(transport));
    expect(refusal.code).toBe('upstream-unavailable');
    expect(refusal.internal).toMatch(
      /only revisions of MCP that open without a handshake .*2026-07-28/,
    );
  });

  it('gives up on a server that does not answer, within the time given', async () => {
    const transport = await httpServer(() => undefined);
    const began = performance.now();
    const refusal = await refusalOf(connect(transport, { connectTimeoutMs: 200 }));
    expect(refusal.code).toBe('upstream-timeout');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('tells what a process that died had to say', async () => {
    const refusal = await refusalOf(connect(node('console.error("no licence"); process.exit(3)')));
    expect(refusal.code).toBe('upstream-unavailable');
    expect(refusal.internal).toContain('no licence');
  });

  it('takes noise on stdout for noise', async () => {
    const { args } = everythingStdio();
    const upstream = await connect(
      node(`console.log('starting ...'); import(${JSON.stringify(args[0])})`),
    );
    expect(upstream.server.name).not.toBe('');
  });
});

describe('a request', () => {
  it('that is aborted is cancelled upstream and rejects with the reason', async () => {
    const heard: (string | undefined)[] = [];
    const small = afterHandshake(() => undefined);
    const transport = await httpServer((message, response) => {
      heard.push(message.method);
      small(message, response);
    });
    const upstream = await connect(transport);
    const cut = new AbortController();
    const call = upstream.request('tools/call', {}, { timeoutMs: 5_000, signal: cut.signal });
    await eventually(() => expect(heard).toContain('tools/call'));
    cut.abort(new Refusal('call-cut'));
    expect((await refusalOf(call)).code).toBe('call-cut');
    await eventually(() => expect(heard).toContain('notifications/cancelled'));
  });

  it('that takes too long is cancelled upstream, and the connection stays good', async () => {
    const transport = await httpServer(
      afterHandshake(({ id, method }, response) => {
        if (method === 'ping') json(response, { jsonrpc: '2.0', id, result: {} });
      }),
    );
    const upstream = await connect(transport);
    const slow = await refusalOf(upstream.request('tools/call', {}, { timeoutMs: 100 }));
    expect(slow.code).toBe('upstream-timeout');
    const answer = await upstream.request('ping', {}, { timeoutMs: 1_000 });
    expect(answer).toEqual({ kind: 'result', result: {} });
  });

  it('to a server that forgot the session loses the connection, once', async () => {
    const lost: Refusal[] = [];
    const transport = await httpServer(
      afterHandshake((_message, response) => void response.writeHead(404).end()),
    );
    const upstream = await connect(transport, { onLost: (why) => lost.push(why) });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const refusal = await refusalOf(upstream.request('tools/list', {}, { timeoutMs: 1_000 }));
      expect(refusal.code).toBe('upstream-unavailable');
    }
    expect(lost.map((why) => why.internal)).toEqual(['it no longer knows the session']);
  });
});

describe('progress', () => {
  it('reaches the request that asked for it and no other, and is not bounded as one message', async () => {
    const transport = await httpServer(
      afterHandshake(({ id, params }, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const { progressToken } = params?._meta ?? {};
        for (let progress = 1; progress <= 30; progress += 1) {
          const notice = { progressToken, progress, message: 'x'.repeat(50) };
          response.write(
            `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: notice })}\n\n`,
          );
        }
        response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`);
      }),
    );
    const upstream = await connect(transport, { maxMessageBytes: 1_000 });
    const heard: number[][] = [[], []];
    await Promise.all(
      heard.map((progress) =>
        upstream.request(
          'tools/call',
          { name: 'slow', _meta: { kept: true } },
          { timeoutMs: 5_000, onProgress: (params) => progress.push(Number(params['progress'])) },
        ),
      ),
    );
    const all = Array.from({ length: 30 }, (_, index) => index + 1);
    expect(heard).toEqual([all, all]);
  });
});

describe('what an upstream may ask of us', () => {
  it('is a ping and nothing else, and its notifications are passed on', async () => {
    const answers: unknown[] = [];
    const notified: unknown[] = [];
    const events = [
      { jsonrpc: '2.0', id: 'p', method: 'ping' },
      { jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: {} },
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 1, progress: 2 },
      },
    ];
    const handshake = afterHandshake(({ id }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
      const result = { content: [], 'x-unknown': { kept: true } };
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
    });
    const transport = await httpServer((message, response) => {
      if (message.method !== undefined) return handshake(message, response);
      answers.push(message);
      response.writeHead(202).end();
    });
    const upstream = await connect(transport, {
      onNotification: (method, params) => notified.push([method, params]),
    });
    const answer = await upstream.request('tools/call', {}, { timeoutMs: 1_000 });
    expect(answer).toEqual({
      kind: 'result',
      result: { content: [], 'x-unknown': { kept: true } },
    });
    expect(notified).toEqual([['notifications/progress', { progressToken: 1, progress: 2 }]]);
    await eventually(() =>
      expect(answers).toEqual([
        { jsonrpc: '2.0', id: 'p', result: {} },
        { jsonrpc: '2.0', id: 's', error: { code: -32_601, message: 'Method not found' } },
      ]),
    );
  });
});

describe('a process', () => {
  it('that ignores its stdin and SIGTERM is killed all the same', async () => {
    const { args } = everythingStdio();
    const pids: number[] = [];
    const upstream = await connect(
      node(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
            process.stdin.on('end', () => {}); process.exit = () => {};
            console.log(JSON.stringify({jsonrpc:'2.0',method:'notifications/pid',params:{pid:process.pid}}));
            import(${JSON.stringify(args[0])})`),
      { onNotification: (_method, params) => pids.push(Number(params?.['pid'])) },
    );
    expect(pids).toHaveLength(1);
    await upstream.close();
    expect(() => process.kill(pids[0]!, 0)).toThrow('ESRCH');
  }, 15_000);

  it('that ends by itself is told of, and fails who waits', async () => {
    const lost: Refusal[] = [];
    const { args } = everythingStdio();
    const upstream = await connect(
      node(
        `import(${JSON.stringify(args[0])}); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1500)`,
      ),
      { onLost: (why) => lost.push(why) },
    );
    const call = upstream.request(
      'tools/call',
      { name: 'trigger-long-running-operation', arguments: { duration: 20, steps: 2 } },
      { timeoutMs: 10_000 },
    );
    expect((await refusalOf(call)).code).toBe('upstream-unavailable');
    expect(lost).toHaveLength(1);
  });
});
