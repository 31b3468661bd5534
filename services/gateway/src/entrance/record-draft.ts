import { problem } from '@gatehouse/problem-catalog';
import type { RecordDraft } from '../evidence/evidence.ts';
import type { Ending } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { traceIdOf } from './request-trace.ts';

const MAX_TEXT_LENGTH = 256;

/** The record of how a request ended. */
export function outcomeOf(
  exchange: Exchange,
  ended: {
    readonly ending: Ending;
    readonly status: number;
    readonly resultBytes: number;
    readonly bundleNumber: number | null;
  },
): RecordDraft {
  const { decision, reason, outcome, rpcCode } = ended.ending;
  return {
    phase: 'outcome',
    ...facts(exchange, ended.bundleNumber),
    decision,
    reason,
    outcome,
    httpStatus: ended.status,
    rpcCode,
    resultBytes: ended.resultBytes,
  };
}

/** The record that a call which may change something is about to be forwarded. */
export function intentOf(exchange: Exchange, bundleNumber: number | null): RecordDraft {
  const reason = exchange.tool?.decision?.reason ?? problem('internal');
  return {
    phase: 'intent',
    ...facts(exchange, bundleNumber),
    decision: 'allow',
    reason: { code: reason.code, text: 'text' in reason ? reason.text : reason.title },
    outcome: 'unknown',
    httpStatus: null,
    rpcCode: null,
    resultBytes: 0,
  };
}

type Facts = Omit<
  RecordDraft,
  'phase' | 'decision' | 'reason' | 'outcome' | 'httpStatus' | 'rpcCode' | 'resultBytes'
>;

function facts(exchange: Exchange, bundleNumber: number | null): Facts {
  const { caller, session, endpoint } = exchange;
  return {
    requestId: exchange.requestId,
    endpoint: endpoint.path.slice(0, MAX_TEXT_LENGTH),
    method: exchange.method,
    principal: caller === null ? null : principalOf(caller),
    ...toolOf(exchange),
    ...originOf(exchange),
    durationMs: performance.now() - exchange.startedAt,
    client: exchange.client,
    sessionRef: session?.ref ?? null,
    bundleNumber,
  };
}

function toolOf({
  tool,
  endpoint,
}: Exchange): Pick<Facts, 'server' | 'tool' | 'toolClass' | 'arguments'> {
  return tool === null
    ? { server: serverOf(endpoint), tool: null, toolClass: null, arguments: undefined }
    : {
        server: tool.server,
        tool: tool.tool,
        toolClass: tool.toolClass,
        arguments: tool.arguments,
      };
}

function originOf(exchange: Exchange): Pick<Facts, 'clientIp' | 'userAgent' | 'traceId'> {
  const { socket, headers } = exchange.request;
  return {
    clientIp: socket.remoteAddress ?? '',
    userAgent: headers['user-agent']?.slice(0, MAX_TEXT_LENGTH) ?? null,
    traceId: traceIdOf(exchange),
  };
}

function principalOf({
  principal,
  keyId,
}: NonNullable<Exchange['caller']>): RecordDraft['principal'] {
  const { kind, id, name, roles } = principal;
  return { kind, id, name, keyId, roles: [...roles] };
}

function serverOf(endpoint: Exchange['endpoint']): string | null {
  return endpoint.kind === 'server' ? endpoint.slug.slice(0, 64) : null;
}
