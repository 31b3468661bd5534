import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An MCP server whose tools never answer: a call of one is under way until somebody ends it. */
export interface HoldingServer {
  readonly url: string;
  /** Resolves when a call with this name among its arguments has arrived. */
  arrival(name: string): Promise<void>;
  stop(): Promise<void>;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly arguments?: { readonly name?: string } };
}

/** A tool as such a server lists it; by what it says of itself, it only reads. */
export function holdingTool(name: string): object {
  return {
    name,
    description: `Holds a call for as long as anybody waits for it (${name}).`,
    inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
    annotations: { readOnlyHint: true },
  };
}

/** Starts one, with these tools. */
export async function startHoldingServer(
  tools: readonly object[] = [holdingTool('hold')],
): Promise<HoldingServer> {
  const results: Readonly<Record<string, unknown>> = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'holding', version: '1' },
    },
    'tools/list': { tools },
  };
  const arrived = new Set<string>();
  const waiting = new Map<string, () => void>();
  const take = (message: Message, response: ServerResponse): void => {
    if (message.method !== 'tools/call') {
      const result = results[message.method ?? ''] ?? {};
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
      return;
    }
    const name = message.params?.arguments?.name ?? '';
    arrived.add(name);
    waiting.get(name)?.();
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const message = (body === '' ? {} : JSON.parse(body)) as Message;
      if (message.id === undefined) response.writeHead(request.method === 'GET' ? 405 : 202).end();
      else take(message, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrival: (name) =>
      new Promise((resolve) => {
        if (arrived.has(name)) resolve();
        else waiting.set(name, resolve);
      }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
