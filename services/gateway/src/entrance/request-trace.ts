import { methods } from '@gatehouse/mcp-protocol';
import {
  failSpan,
  inSpan,
  isTracing,
  readTraceparent,
  startSpan,
  traceparentOf,
  type Span,
} from '@gatehouse/platform';
import type { Ending } from './answer.ts';
import type { Exchange } from './exchange.ts';

// Names of spans are for grouping: what callers make up is none.
const NAMES: ReadonlySet<string> = new Set([...Object.values(methods), 'GET', 'DELETE', 'http']);

/** What a request's part in a trace is: the traceparent it came with, if it is one, and our own span, if we trace. */
export interface RequestTrace {
  readonly given: string | null;
  readonly span: Span | null;
}

/** The trace of a request; asked for once its message was read, or at its end, since the message may name it. */
function traceOf(exchange: Exchange): RequestTrace {
  exchange.trace ??= begin(exchange);
  return exchange.trace;
}

/** The trace that a record names: the caller's, else our own. */
export function traceIdOf(exchange: Exchange): string | null {
  const { given, span } = traceOf(exchange);
  return readTraceparent(given ?? onward(span))?.traceId ?? null;
}

/** Where a server behind the gate goes on: from a span of ours, else from where the caller was. */
export function traceparentFor(exchange: Exchange, forwarding: Span): string | undefined {
  return traceparentOf(forwarding) ?? traceOf(exchange).given ?? undefined;
}

/** Runs the work as part of the request's trace. */
export function inTrace<T>(exchange: Exchange, work: () => T): T {
  const { span } = traceOf(exchange);
  return span === null ? work() : inSpan(span, work);
}

/** Says on the span how the request ended. What was given and answered is in no trace: arguments, results, tokens. */
export function endTrace(exchange: Exchange, { decision, reason, outcome, rpcCode }: Ending): void {
  const { span } = traceOf(exchange);
  if (span === null) return;
  const { method, tool, session, rpcId } = exchange;
  span.updateName(nameOf(exchange));
  span.setAttributes({
    'mcp.method.name': method,
    'network.transport': 'tcp',
    'gatehouse.request.id': exchange.requestId,
    'gatehouse.decision': decision,
    'gatehouse.reason': reason.code,
    'gatehouse.outcome': outcome,
    ...(rpcId === null ? {} : { 'jsonrpc.request.id': String(rpcId) }),
    ...(rpcCode === null ? {} : { 'rpc.response.status_code': String(rpcCode) }),
    // Not its id, which would let who reads traces look for it elsewhere.
    ...(session === null ? {} : { 'gatehouse.session.ref': session.ref }),
    ...(tool === null
      ? {}
      : { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool.tool }),
    ...(tool === null || tool.server === null ? {} : { 'gatehouse.server': tool.server }),
  });
  if (outcome !== 'ok') {
    failSpan(span, outcome === 'tool-error' ? 'tool_error' : String(rpcCode ?? reason.code));
  }
  span.end();
}

function begin(exchange: Exchange): RequestTrace {
  const given = givenBy(exchange);
  if (!isTracing()) return { given, span: null };
  const span = startSpan(exchange.method, {
    kind: 'server',
    startTime: performance.timeOrigin + exchange.startedAt,
    // A stranger must not decide what is recorded, nor write into the traces of others.
    from: exchange.caller === null ? null : given,
  });
  return { given, span };
}

// Since 2026-07-28 a message may carry it itself, past whatever handles the headers; and it then is what counts.
function givenBy(exchange: Exchange): string | null {
  const { message } = exchange;
  const meta = message !== null && 'params' in message ? message.params?.['_meta'] : undefined;
  const told = (meta as { readonly traceparent?: unknown } | null | undefined)?.traceparent;
  if (typeof told === 'string' && readTraceparent(told) !== undefined) return told;
  const header = exchange.header('traceparent');
  return readTraceparent(header) === undefined ? null : (header ?? null);
}

function onward(span: Span | null): string | undefined {
  return span === null ? undefined : traceparentOf(span);
}

// The name of a tool too is a caller's word until the tool was found.
function nameOf({ method, tool }: Exchange): string {
  if (!NAMES.has(method)) return 'mcp';
  return tool?.decision == null ? method : `${method} ${tool.tool}`;
}
