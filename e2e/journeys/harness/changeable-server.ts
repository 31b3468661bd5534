import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A tool as an MCP server describes it. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object'; readonly [keyword: string]: unknown };
  readonly annotations?: { readonly readOnlyHint?: boolean };
}

/** An MCP server over HTTP that may offer other tools tomorrow than it offers today. */
export interface ChangeableServer {
  readonly url: string;
  /** What it offers from now on. */
  offer(tools: readonly OfferedTool[]): void;
  /** The arguments of every call that reached it. */
  readonly calls: readonly unknown[];
  stop(): Promise<void>;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly arguments?: unknown };
}

export async function startChangeableServer(
  offered: readonly OfferedTool[],
): Promise<ChangeableServer> {
  let tools = offered;
  const calls: unknown[] = [];
  const resultOf = ({ method, params }: Message): unknown => {
    if (method === 'initialize')
      return {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'changeable', version: '1' },
      };
    if (method === 'tools/list') return { tools };
    if (method !== 'tools/call') return {};
    calls.push(params?.arguments);
    return { content: [{ type: 'text', text: 'done' }] };
  };
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(request, response, body, resultOf));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    offer(next) {
      tools = next;
    },
    calls,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  resultOf: (message: Message) => unknown,
): void {
  const message = (body === '' ? {} : JSON.parse(body)) as Message;
  if (message.id === undefined) {
    response.writeHead(request.method === 'GET' ? 405 : 202).end();
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(message) }));
}
