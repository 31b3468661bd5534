import type { Outcome } from '@gatehouse/event-catalog';
import { rpcErrorResponse, type RequestId } from '@gatehouse/mcp-protocol';
import { problem, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import type { Exchange } from './exchange.ts';

/** How a request ended, as its record says it. */
export interface Ending {
  readonly decision: 'allow' | 'deny';
  readonly reason: { readonly code: string; readonly text: string };
  readonly outcome: Outcome;
  readonly rpcCode: number | null;
}

export type Headers = Readonly<Record<string, string>>;

/** What leaves the gate: a JSON text, nothing but a status, or a response that the SDK's session transport framed. */
export type Answer = {
  readonly ending: Ending;
  /** Called between record and answer: what takes effect only once it is recorded, and what must be undone when it cannot be. */
  readonly settle?: (recorded: boolean) => void | Promise<void>;
} & (
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly headers?: Headers;
      readonly body: string;
    }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Headers }
  | { readonly kind: 'framed'; readonly response: Response }
);

/** The ending of a request that needed no grant beyond being who one is. */
export const admitted: Ending = {
  decision: 'allow',
  reason: { code: 'admitted', text: 'The caller is known, and this needs no grant.' },
  outcome: 'ok',
  rpcCode: null,
};

/** The answer to a request whose `result` is JSON already; the one thing spliced in is the id. */
export function resultAnswer(id: RequestId, result: string, ending: Ending = admitted): Answer {
  return {
    kind: 'json',
    status: 200,
    body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`,
    ending,
  };
}

/** A refusal that carries facts for programs in its error data, beside the problem code. */
export class RefusalWithData extends Refusal {
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, data: Readonly<Record<string, unknown>>, internal: string) {
    super(code, { internal });
    this.data = data;
  }
}

/** The answer to whatever was thrown. What is no Refusal is a bug, of which the caller learns only the request id. */
export function refusalAnswer(exchange: Exchange, thrown: unknown): Answer {
  const refusal =
    thrown instanceof Refusal
      ? thrown
      : new Refusal('internal', {
          detail: `${problem('internal').title} (${exchange.requestId})`,
          internal: String(thrown),
        });
  const { forwarded } = exchange;
  const detail = forwarded ? (withheld[refusal.code] ?? refusal.detail) : refusal.detail;
  const body = rpcErrorResponse(exchange.rpcId, refusal.code, detail);
  const data = {
    ...(refusal instanceof RefusalWithData ? refusal.data : {}),
    ...body.error.data,
    ...(forwarded ? { forwarded } : {}),
  };
  return {
    kind: 'json',
    status: refusal.status,
    // Nobody should simply repeat what may have happened.
    headers: forwarded ? {} : (extraHeaders[refusal.code] ?? {}),
    body: JSON.stringify({ ...body, error: { ...body.error, data } }),
    ending: endingOf(exchange, refusal),
  };
}

function endingOf(exchange: Exchange, refusal: Refusal): Ending {
  const decided = exchange.tool?.decision ?? null;
  const rpcCode = problem(refusal.code).rpcCode;
  const happened = {
    code: refusal.code,
    text: refusal.internal ?? refusal.detail ?? problem(refusal.code).title,
  };
  // A denied tool answers as a missing one; the record says why it was denied.
  if (decided?.allow === false) {
    const { code, text } = decided.reason;
    return { decision: 'deny', reason: { code, text }, outcome: 'refused', rpcCode };
  }
  // What a server was given was allowed, whatever became of its answer.
  const outcome = outcomes[refusal.code] ?? (exchange.forwarded ? 'cancelled' : 'refused');
  const decision = outcome === 'refused' ? 'deny' : 'allow';
  return { decision, reason: happened, outcome, rpcCode };
}

/** What is said, once a call was forwarded, in place of a sentence that says it was refused. */
const withheld: Partial<Record<ProblemCode, string>> = {
  'evidence-unavailable': mayHaveHappened('the gate cannot write its audit record'),
  'state-stale': mayHaveHappened('the gate lost touch meanwhile with those it decides by'),
};

function mayHaveHappened(why: string): string {
  return `The call was forwarded and may have taken effect, but its answer is withheld, since ${why}: do not simply repeat it.`;
}

const outcomes: Partial<Record<ProblemCode, Outcome>> = {
  'upstream-unavailable': 'upstream-error',
  'upstream-timeout': 'upstream-error',
  'upstream-garbled': 'upstream-error',
  'call-cut': 'cancelled',
  'call-cancelled': 'cancelled',
};

const extraHeaders: Partial<Record<ProblemCode, Headers>> = {
  'authentication-required': { 'www-authenticate': 'Bearer' },
  'token-malformed': { 'www-authenticate': 'Bearer error="invalid_token"' },
  'token-refused': { 'www-authenticate': 'Bearer error="invalid_token"' },
  'http-method-unsupported': { allow: 'GET, POST, DELETE' },
  'not-ready': { 'retry-after': '1' },
  'state-stale': { 'retry-after': '1' },
  'evidence-unavailable': { 'retry-after': '1' },
  overloaded: { 'retry-after': '1' },
};
