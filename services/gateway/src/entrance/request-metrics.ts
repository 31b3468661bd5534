import { methods } from '@gatehouse/mcp-protocol';
import { counter, histogram } from '@gatehouse/platform';
import type { Ending } from './answer.ts';
import type { Exchange } from './exchange.ts';

const service = 'gateway';
const requests = counter({
  name: 'gatehouse_gateway_requests_total',
  help: 'Requests to the gate, by what was decided, why, and how they ended: what their audit records say.',
  service,
  labels: ['method', 'decision', 'reason', 'outcome'],
});
const gateTime = histogram({
  name: 'gatehouse_gateway_own_duration_seconds',
  help: "The gate's own time over a request, evidence on disk included: all but the time that a server behind it took.",
  service,
  labels: ['method'],
});

const told: ReadonlySet<string> = new Set([
  ...Object.values(methods),
  'http',
  'response',
  'GET',
  'DELETE',
  'OPTIONS',
]);

/** Counts a request as its answer leaves. A method that a caller made up is `other`. */
export function countRequest(exchange: Exchange, ending: Ending): void {
  const method = told.has(exchange.method) ? exchange.method : 'other';
  countEnding(method, ending);
  const ownMs = performance.now() - exchange.startedAt - exchange.upstreamMs;
  gateTime.observe({ method }, Math.max(0, ownMs) / 1000);
}

/** Counts what arrived and was no request that could be read. */
export function countMalformed(code: string): void {
  countEnding('http', { decision: 'deny', reason: { code }, outcome: 'refused' });
}

function countEnding(
  method: string,
  ending: Pick<Ending, 'decision' | 'outcome'> & { readonly reason: { readonly code: string } },
): void {
  const { decision, outcome, reason } = ending;
  requests.inc({ method, decision, reason: reason.code, outcome });
}
