import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';

interface Rpc {
  readonly id?: number;
  readonly method?: string;
  readonly error?: { code: number };
  readonly result?: unknown;
  readonly params?: { name?: string; arguments?: unknown; requestId?: number; _meta?: Meta };
}

type Meta = Readonly<Record<string, unknown>>;

/** A server that does, tool by tool, what servers must not do. At `/mute` it never answers, at `/rude` it never makes sense. */
export async function startOddServer() {
  const called: string[] = [];
  const metas: (Meta | undefined)[] = [];
  const traceparents: (string | undefined)[] = [];
  const cancelled: number[] = [];
  const authorizations: string[] = [];
  const answers: Rpc[] = [];
  const sessions = new Set<string>();
  const held: (() => void)[] = [];
  let opened = 0;
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== undefined)
      authorizations.push(request.headers.authorization);
    if (request.method !== 'POST') return void response.writeHead(200).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const rpc = JSON.parse(Buffer.concat(chunks).toString()) as Rpc;
    if (request.url === '/mute') return;
    if (request.url === '/rude') return json(response, 'certainly not');
    if (rpc.id !== undefined && rpc.method !== undefined) return answer(rpc, request, response);
    if (rpc.method === 'notifications/cancelled') cancelled.push(rpc.params!.requestId!);
    if (rpc.method === undefined) answers.push(rpc);
    response.writeHead(202).end();
  }

  function answer(rpc: Rpc, request: IncomingMessage, response: ServerResponse): void {
    if (rpc.method === 'initialize') {
      const id = `session-${(opened += 1)}`;
      sessions.add(id);
      response.setHeader('mcp-session-id', id);
      const serverInfo = { name: 'odd', version: '0' };
      return json(
        response,
        result(rpc, { protocolVersion: '2025-06-18', capabilities: {}, serverInfo }),
      );
    }
    const name = rpc.params!.name!;
    called.push(name);
    metas.push(rpc.params!._meta);
    traceparents.push(request.headers['traceparent'] as string | undefined);
    const known = sessions.has(String(request.headers['mcp-session-id']));
    if (!known || name === 'lost') return void response.writeHead(404).end();
    if (name === 'held') {
      held.push(() => json(response, result(rpc, { content: [] })));
      return;
    }
    tools[name]!(rpc, response);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    called,
    /** The `_meta` of each call, in the order of `called`. */
    metas,
    /** And its header `traceparent`. */
    traceparents,
    /** How many connections were made. */
    get opened() {
      return opened;
    },
    cancelled,
    authorizations,
    answers,
    /** Answers the calls of the tool `held`. */
    letGo: () => held.splice(0).forEach((answerIt) => answerIt()),
    /** As after a restart. */
    forgetSessions: () => sessions.clear(),
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const tools: Record<string, (rpc: Rpc, response: ServerResponse) => void> = {
  echo: (rpc, response) =>
    json(
      response,
      result(rpc, {
        content: [{ type: 'text', text: JSON.stringify(rpc.params!.arguments) }],
        odd: { kept: true },
      }),
    ),
  slow: () => undefined,
  unhurried: (rpc, response) =>
    void setTimeout(() => json(response, result(rpc, { content: [] })), 500),
  progress: (rpc, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (message: object): unknown =>
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    const { progressToken } = rpc.params!._meta!;
    const params = { progressToken, progress: 1, message: 'half of what was asked for' };
    say({ method: 'notifications/progress', params });
    say({ method: 'notifications/progress', params: { ...params, progress: 2 } });
    if (rpc.params!.arguments !== undefined) return;
    response.end(`data: ${result(rpc, { content: [] })}\n\n`);
  },
  garbage: (_, response) => json(response, '{"jsonrpc":"2.0",'),
  'wrong-id': (rpc, response) => json(response, result({ ...rpc, id: 9_999 }, { content: [] })),
  'no-rpc': (_, response) => json(response, '{"hello":"world"}'),
  plain: (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hi</h1>'),
  empty: (_, response) => void response.writeHead(202).end(),
  'broken-stream': (_, response) =>
    void response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end('data: {"jsonrpc"\n\n'),
  huge: (rpc, response) =>
    json(response, result(rpc, { content: [{ type: 'text', text: 'x'.repeat(100_000) }] })),
  'huge-stream': (rpc, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      `data: ${result(rpc, { content: [{ type: 'text', text: 'x'.repeat(100_000) }] })}\n\n`,
    );
  },
  asks: (rpc, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (message: object): unknown =>
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    say({ id: 'q1', method: 'sampling/createMessage', params: {} });
    say({ id: 'q2', method: 'ping' });
    say({ method: 'notifications/message', params: { level: 'info', data: 'secret' } });
    say({ method: 'notifications/progress', params: { progressToken: 'theirs', progress: 1 } });
    response.end(`data: ${result(rpc, { content: [] })}\n\n`);
  },
  fails: (rpc, response) =>
    json(
      response,
      JSON.stringify({
        jsonrpc: '2.0',
        id: rpc.id,
        error: { code: -32000, message: 'no luck today', data: { luck: 0 } },
      }),
    ),
};

const result = (rpc: Rpc, content: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: content });

function json(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

/** Something that listens, but speaks no protocol. */
export async function startNoise() {
  const server = createSocketServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => socket.end('\u0000\u0001 noise\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, stop: () => void server.close() };
}
