import { Refusal } from '@gatehouse/problem-catalog';
import type { Transport as TransportDefinition } from '@gatehouse/event-catalog';
import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { boundedFetch } from './bounded-fetch.ts';
import type { UpstreamSettings } from './upstream.ts';

const STDERR_KEPT = 2_000;
const FAREWELL_MS = 1_000;
// The SDK waits 2 s after closing stdin and 2 s after SIGTERM, then sends SIGKILL.
const PROCESS_END_MS = 6_000;

/** A transport, how to start and end it, and what its process said on stderr. */
export interface OpenTransport {
  readonly wire: Transport;
  start(): Promise<void>;
  /** Resolves when nothing of it is left; within a bounded time. */
  end(): Promise<void>;
  complaints(): string;
}

export interface TransportOptions extends UpstreamSettings {
  /** The whole response to this request has been read; over HTTP only. */
  readonly answeredAtOnce: (requestId: number) => void;
}

/** Refuses a stdio command that the operator's list does not name exactly; an URL needs no leave. */
export function requireAllowedCommand(
  transport: TransportDefinition,
  stdioCommands: readonly string[],
): void {
  if (transport.kind === 'stdio' && !stdioCommands.includes(transport.command)) {
    throw new Refusal('command-not-allowed', {
      internal: `the command ${transport.command} is not on the operator's list`,
    });
  }
}

/** The SDK's transport for a server, guarded by allow-list and size limit. Nothing is started or sent yet. */
export function openTransport(
  transport: TransportDefinition,
  options: TransportOptions,
): OpenTransport {
  requireAllowedCommand(transport, options.stdioCommands);
  return transport.kind === 'stdio'
    ? overStdio(transport, options)
    : overHttp(transport.url, options);
}

function overHttp(
  url: string,
  { maxMessageBytes, onNotification, answeredAtOnce, clientInfo }: TransportOptions,
): OpenTransport {
  const sockets = boundedFetch({
    maxMessageBytes,
    standingStream: onNotification !== undefined,
    answeredAtOnce,
  });
  const wire = new StreamableHTTPClientTransport(new URL(url), {
    fetch: sockets.fetch,
    requestInit: { headers: { 'user-agent': `${clientInfo.name}/${clientInfo.version}` } },
  });
  return {
    wire,
    start: () => wire.start(),
    complaints: () => '',
    async end() {
      // A server that does not answer the farewell keeps its session; it is not waited for.
      await within(FAREWELL_MS, wire.terminateSession());
      await wire.close();
      sockets.close();
    },
  };
}

function overStdio(
  { command, args, env }: Extract<TransportDefinition, { kind: 'stdio' }>,
  { maxMessageBytes, onStderr }: TransportOptions,
): OpenTransport {
  // Beside `env` the SDK passes on HOME, PATH and their like, and nothing else of our environment.
  const wire = new StdioClientTransport({
    command,
    args,
    env,
    stderr: 'pipe',
    maxBufferSize: maxMessageBytes,
  });
  let stderr = '';
  wire.stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8');
    stderr = (stderr + text).slice(-STDERR_KEPT);
    onStderr?.(text.slice(0, STDERR_KEPT));
  });
  let pid: number | null = null;
  return {
    wire,
    async start() {
      await wire.start();
      ({ pid } = wire);
    },
    complaints: () => stderr.trim(),
    async end() {
      await wire.close();
      if (pid !== null) await gone(pid);
    },
  };
}

/** The SDK does not wait for its SIGKILL, nor, where it closed by itself, for anything; a process is gone only when it can no longer be signalled. */
async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < PROCESS_END_MS; waited += 10) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), timeout]);
  clearTimeout(timer);
}
