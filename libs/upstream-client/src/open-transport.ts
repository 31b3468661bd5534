import { Refusal } from '@gatehouse/problem-catalog';
import type { Transport as TransportDefinition } from '@gatehouse/event-catalog';
import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { fetchWithinLimit } from './read-limit.ts';
import type { UpstreamSettings } from './upstream.ts';

const STDERR_KEPT = 2_000;

/** A transport, how to start and end it, and what its process said on stderr. */
export interface OpenTransport {
  readonly wire: Transport;
  start(): Promise<void>;
  /** Resolves when nothing of it is left; within a bounded time. */
  end(): Promise<void>;
  complaints(): string;
}

/** Refuses a stdio command that the operator's list does not name exactly; an URL needs no leave. */
export function requireAllowedCommand(
  transport: TransportDefinition,
  stdioCommands: readonly string[],
): void {
  if (transport.kind === 'stdio' && !stdioCommands.includes(transport.command)) {
    throw new Refusal('command-not-allowed');
  }
}

/** The SDK's transport for a server, guarded by allow-list and size limit. */
export function openTransport(
  transport: TransportDefinition,
  settings: UpstreamSettings,
): OpenTransport {
  requireAllowedCommand(transport, settings.stdioCommands);
  return transport.kind === 'stdio'
    ? overStdio(transport, settings)
    : overHttp(transport.url, settings);
}

function overHttp(
  url: string,
  { maxMessageBytes, onNotification }: UpstreamSettings,
): OpenTransport {
  const bounded = fetchWithinLimit(maxMessageBytes);
  const wire = new StreamableHTTPClientTransport(new URL(url), {
    // A standing stream that nobody listens to would only cost a socket.
    fetch: onNotification === undefined ? withoutStandingStream(bounded) : bounded,
  });
  return {
    wire,
    start: () => wire.start(),
    complaints: () => '',
    async end() {
      // A server that does not answer the farewell keeps its session; it is not waited for.
      await within(1_000, wire.terminateSession());
      await wire.close();
    },
  };
}

function withoutStandingStream(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const stands = init?.method === 'GET' && !new Headers(init.headers).has('last-event-id');
    return stands ? new Response(null, { status: 405 }) : inner(input, init);
  };
}

function overStdio(
  { command, args, env }: Extract<TransportDefinition, { kind: 'stdio' }>,
  { maxMessageBytes }: UpstreamSettings,
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
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
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

/** The SDK sends SIGKILL without waiting; a process is gone only when it can no longer be signalled. */
async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < 1_000; waited += 10) {
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
