import type { ServerInfo, Transport } from '@gatehouse/event-catalog';
import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { Connection } from './connection.ts';
import { garbled, timedOut, unavailable } from './failure.ts';
import { openTransport } from './open-transport.ts';
import type { Upstream, UpstreamSettings } from './upstream.ts';

// Only what a handshake is decided upon; all else that a server says passes as it came.
const initializeResultSchema = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  serverInfo: z.looseObject({ name: z.string(), version: z.string() }),
  instructions: z.string().optional(),
});

/**
 * Opens the transport and shakes hands. Whatever fails leaves nothing behind, no process and no stream, and is thrown
 * as `upstream-unavailable`, `upstream-timeout` or `upstream-garbled`, with the reason in `internal`.
 */
export async function connectUpstream(
  transport: Transport,
  settings: UpstreamSettings,
): Promise<Upstream> {
  const open = openTransport(transport, settings);
  const connection = new Connection(open, settings);
  try {
    const said = await within(settings.connectTimeoutMs, shakeHands(connection, settings));
    return {
      server: said.server,
      capabilities: said.capabilities,
      request: (method, params, options) => connection.request(method, params, options),
      notify: (method, params) => connection.notify(method, params),
      close: () => connection.close(),
    };
  } catch (error) {
    const explained = connection.explain(error);
    await connection.close();
    throw explained;
  }
}

async function shakeHands(
  connection: Connection,
  { clientInfo, connectTimeoutMs }: UpstreamSettings,
): Promise<{ server: ServerInfo; capabilities: Record<string, unknown> }> {
  await connection.start();
  const answer = await connection.request(
    'initialize',
    { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo },
    { timeoutMs: connectTimeoutMs },
  );
  if (answer.kind === 'error')
    throw unavailable(`it refused to initialize: ${answer.error.message} (${answer.error.code})`);
  const parsed = initializeResultSchema.safeParse(answer.result);
  if (!parsed.success)
    throw garbled(`its answer to initialize is not MCP: ${z.prettifyError(parsed.error)}`);
  const { protocolVersion, serverInfo, instructions, capabilities } = parsed.data;
  if (!SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion))
    throw garbled(`it speaks the protocol version ${protocolVersion}, which is not known here`);
  connection.speaks(protocolVersion);
  await connection.notify('notifications/initialized');
  const { name, version } = serverInfo;
  return {
    server: { name, version, protocolVersion, instructions: instructions ?? null },
    capabilities,
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timedOut(`it did not shake hands within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
