import { methods, type JsonObject } from '@gatehouse/mcp-protocol';
import { failSpan, withSpan, type Span } from '@gatehouse/platform';
import { SessionLost } from '@gatehouse/upstream-client';
import { traceparentFor } from '../../entrance/request-trace.ts';
import type { Gate } from '../../gate.ts';
import type { ServedServer, ServedTool } from '../../state/served-server.ts';
import { measuredCall } from '../../upstream/upstream-metrics.ts';
import { relayProgress } from '../relay-progress.ts';
import type { ToolCall } from '../tool-call.ts';
import { confirmState } from './confirm-state.ts';

// Keys of the protocol's own envelope, which each hop writes for itself.
const RESERVED = /^io\.modelcontextprotocol\//;
const OWN: ReadonlySet<string> = new Set(['progressToken', 'traceparent']);

/** Takes the call to the server, over the caller's own connection to it, and waits for the answer. */
export async function forward(call: ToolCall, gate: Gate): Promise<void> {
  const { server, resolved, exchange } = call;
  if (server === null || resolved === null) throw new Error('a call was forwarded unresolved');
  const took = (ms: number): void => {
    exchange.upstreamMs += ms;
  };
  try {
    await measuredCall(server.slug, took, () => sendAtMostTwice(call, gate, server, resolved));
  } finally {
    // Progress that waits for its record goes before the answer. The server is done by now: this time is the gate's.
    if (call.intent !== null) await call.intent;
  }
}

async function sendAtMostTwice(
  call: ToolCall,
  gate: Gate,
  server: ServedServer,
  resolved: ServedTool,
): Promise<void> {
  try {
    await traced(call, gate, server, resolved);
  } catch (failure) {
    // The server refused it unread, so once more cannot do twice what was to be done; yet only reads are repeated.
    if (!(failure instanceof SessionLost) || resolved.class !== 'read') throw failure;
    call.exchange.forwarded = false;
    await traced(call, gate, server, resolved);
  }
}

function traced(call: ToolCall, gate: Gate, server: ServedServer, tool: ServedTool): Promise<void> {
  const attributes = {
    'mcp.method.name': methods.toolsCall,
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool.name,
    'gatehouse.server': server.slug,
    'network.transport': server.transport.kind === 'stdio' ? 'pipe' : 'tcp',
  };
  const name = `${methods.toolsCall} ${tool.name}`;
  return withSpan(name, { kind: 'client', attributes }, async (span) => {
    await send(call, gate, { server, tool, span });
    if (call.answer?.kind === 'error') failSpan(span, String(call.answer.error.code));
    else if (call.answer?.result['isError'] === true) failSpan(span, 'tool_error');
  });
}

async function send(
  call: ToolCall,
  gate: Gate,
  {
    server,
    tool,
    span,
  }: { readonly server: ServedServer; readonly tool: ServedTool; readonly span: Span },
): Promise<void> {
  const { upstreams, config } = gate;
  const connection = await unlessAborted(
    upstreams.acquire(server, call.caller.principal),
    call.signal,
  );
  const traceparent = traceparentFor(call.exchange, span);
  const params = paramsOf(call, tool, traceparent);
  // The last moment at which nothing has happened yet; intent and connection may have taken their time.
  call.signal.throwIfAborted();
  confirmState(call, gate);
  call.exchange.forwarded = true;
  call.answer = await connection.request(methods.toolsCall, params, {
    traceparent,
    timeoutMs: config.callTimeoutMs,
    signal: call.signal,
    onProgress: relayProgress(call, gate),
  });
}

/** A connection may take its time to be made; a call whose right ends meanwhile ends at once, and the connection is for the next. */
async function unlessAborted<T>(making: T | Promise<T>, signal: AbortSignal): Promise<T> {
  if (!(making instanceof Promise)) return making;
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([making, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function paramsOf(
  { arguments: given, meta }: ToolCall,
  { name }: ServedTool,
  traceparent: string | undefined,
): JsonObject {
  const kept = Object.entries(meta ?? {}).filter(([key]) => !OWN.has(key) && !RESERVED.test(key));
  if (traceparent !== undefined) kept.push(['traceparent', traceparent]);
  return {
    name,
    ...(given === undefined ? {} : { arguments: given }),
    ...(kept.length === 0 ? {} : { _meta: Object.fromEntries(kept) }),
  };
}
