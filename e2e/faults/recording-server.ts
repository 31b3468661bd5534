import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, McpServer, type McpHttpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A call that passed the gate: what the server behind it saw. */
export interface ForwardedCall {
  readonly callId: string;
  readonly tool: string;
  readonly at: number;
}

/** An MCP server on the official SDK that remembers every call that reached it. `put` writes, `look` reads. */
export interface RecordingServer {
  readonly url: string;
  readonly forwarded: readonly ForwardedCall[];
  stop(): Promise<void>;
}

export async function startRecordingServer(): Promise<RecordingServer> {
  const forwarded: ForwardedCall[] = [];
  const handler = createMcpHandler(() => recordingInto(forwarded));
  const server = createServer((request, response) => {
    serve(handler, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    forwarded,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await handler.close();
    },
  };
}

function recordingInto(forwarded: ForwardedCall[]): McpServer {
  const server = new McpServer({ name: 'recording', version: '1.0.0' });
  for (const tool of ['put', 'look']) {
    server.registerTool(
      tool,
      {
        description: tool === 'put' ? 'Changes something.' : 'Looks at something.',
        inputSchema: z.object({ id: z.string() }),
        annotations: { readOnlyHint: tool === 'look' },
      },
      ({ id }) => {
        forwarded.push({ callId: id, tool, at: Date.now() });
        return { content: [{ type: 'text', text: id }] };
      },
    );
  }
  return server;
}

async function serve(
  handler: McpHttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = chunks.length === 0 ? null : Buffer.concat(chunks);
  const answer = await handler.fetch(
    new Request(`http://127.0.0.1${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      ),
      body,
    }),
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}
