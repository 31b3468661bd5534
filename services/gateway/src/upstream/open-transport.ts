import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Transport as ServerTransport } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { product } from '../product.ts';
import { boundedFetch } from './bounded-fetch.ts';

export interface TransportOptions {
  readonly resultLimitBytes: number;
  readonly stdioCommands: readonly string[];
  readonly answeredAtOnce: (requestId: number) => void;
  /** A line that a child process wrote to its standard error. */
  readonly stderr: (text: string) => void;
}

/** A transport and how to leave the server behind it in good order. */
export interface OpenedTransport {
  readonly transport: Transport;
  readonly kind: ServerTransport['kind'];
  leave(): Promise<void>;
}

const FAREWELL_MS = 2_000;

/** The SDK's transport for a server. Nothing is started or sent yet. */
export function openTransport(to: ServerTransport, options: TransportOptions): OpenedTransport {
  return to.kind === 'stdio' ? openStdio(to, options) : openHttp(to, options);
}

function openHttp(
  { url }: Extract<ServerTransport, { kind: 'streamable-http' }>,
  { resultLimitBytes, answeredAtOnce }: TransportOptions,
): OpenedTransport {
  const sockets = boundedFetch({ limitBytes: resultLimitBytes, answeredAtOnce });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: sockets.fetch,
    requestInit: { headers: { 'user-agent': `${product.name}/${product.version}` } },
  });
  return {
    transport,
    kind: 'streamable-http',
    async leave() {
      const farewell = transport.terminateSession().catch(() => undefined);
      await Promise.race([
        farewell,
        new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref()),
      ]);
      await transport.close();
      sockets.close();
    },
  };
}

function openStdio(
  { command, args, env }: Extract<ServerTransport, { kind: 'stdio' }>,
  { resultLimitBytes, stdioCommands, stderr }: TransportOptions,
): OpenedTransport {
  if (!stdioCommands.includes(command)) {
    throw new Refusal('upstream-unavailable', {
      internal: `the command ${command} is not on the operator's list`,
    });
  }
  // The transport adds PATH and a few like it to `env`; nothing else of this process reaches the child.
  const transport = new StdioClientTransport({
    command,
    args,
    env,
    stderr: 'pipe',
    maxBufferSize: resultLimitBytes,
  });
  transport.stderr?.on('data', (chunk: Buffer) => stderr(chunk.toString('utf8').slice(0, 2_000)));
  // It closes standard input, then asks the child to end, then kills it, each by its pid.
  return { transport, kind: 'stdio', leave: () => transport.close() };
}
