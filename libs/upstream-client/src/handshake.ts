import type { ServerInfo } from '@gatehouse/event-catalog';
import {
  LATEST_PROTOCOL_VERSION,
  SdkHttpError,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { garbled, unavailable } from './failure.ts';
import type { JsonObject, UpstreamAnswer, UpstreamSettings } from './upstream.ts';

// Only what a handshake is decided upon; all else that a server says passes as it came.
const initializeResultSchema = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  serverInfo: z.looseObject({ name: z.string(), version: z.string() }),
  instructions: z.string().optional(),
});

const METHOD_NOT_FOUND = -32_601;
const UNSUPPORTED_PROTOCOL_VERSION = -32_022;

const rpcErrorSchema = z.object({
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }),
});
const supportedSchema = z.object({ supported: z.array(z.string()) });

/** Introduces us, declaring no capability, and hears what the server says of itself. */
export async function shakeHands(
  connection: Connection,
  { clientInfo, connectTimeoutMs }: UpstreamSettings,
): Promise<{ server: ServerInfo; capabilities: JsonObject }> {
  await connection.start();
  const answer = await initialize(connection, {
    params: { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo },
    timeoutMs: connectTimeoutMs,
  });
  if (answer.kind === 'error') throw unavailable(reasonOfRefusal(answer.error));
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

async function initialize(
  connection: Connection,
  { params, timeoutMs }: { readonly params: JsonObject; readonly timeoutMs: number },
): Promise<UpstreamAnswer> {
  try {
    return await connection.request('initialize', params, { timeoutMs });
  } catch (failure) {
    // Over HTTP a modern server puts its JSON-RPC error into a 400 or 404, which the transport takes for a failure.
    const { cause } = failure as Error;
    const error = cause instanceof SdkHttpError ? rpcErrorIn(cause.data.text) : undefined;
    if (error === undefined) throw failure;
    return { kind: 'error', error };
  }
}

type RpcError = Extract<UpstreamAnswer, { kind: 'error' }>['error'];

function rpcErrorIn(text: unknown): RpcError | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return rpcErrorSchema.safeParse(JSON.parse(text)).data?.error;
  } catch {
    return undefined;
  }
}

function reasonOfRefusal({ code, message, data }: RpcError): string {
  const said = `it refused to initialize: ${message} (${code})`.slice(0, 300);
  if (code !== UNSUPPORTED_PROTOCOL_VERSION && code !== METHOD_NOT_FOUND) return said;
  const { supported = ['2026-07-28 or later'] } = supportedSchema.safeParse(data).data ?? {};
  const versions = supported.join(', ').slice(0, 100);
  return `${said}; it seems to speak only revisions of MCP that open without a handshake (${versions}), and those are not spoken with servers yet`;
}
