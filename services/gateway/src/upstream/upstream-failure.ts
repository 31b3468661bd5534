import { SdkError, SdkHttpError } from '@modelcontextprotocol/client';
import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';

/** The answer of a server was larger than the gate takes. */
export class ResultTooLarge extends Error {
  constructor(limit: number) {
    super(`the answer is larger than ${limit} bytes`);
    this.name = 'ResultTooLarge';
  }
}

/** The server no longer knows the session that the request was sent in, so it did not act on it. */
export class SessionLost extends Refusal {
  constructor(status: number) {
    super('upstream-unavailable', {
      internal: `HTTP ${status}: the session at the server is gone`,
    });
  }
}

// What an MCP server over HTTP answers to a session id that it does not know: 404 by the specification, 400 by many.
const SESSION_UNKNOWN = new Set([400, 404]);

/** The catalogued problem of whatever a transport failed with. */
export function refusalOf(failure: unknown, inSession: boolean): Refusal {
  if (failure instanceof Refusal) return failure;
  if (failure instanceof SdkHttpError) {
    if (inSession && SESSION_UNKNOWN.has(failure.status)) return new SessionLost(failure.status);
    return refusal('upstream-unavailable', `HTTP ${failure.status}`, failure);
  }
  const text = failure instanceof Error ? describe(failure) : String(failure);
  return refusal(isGarbage(failure) ? 'upstream-garbled' : 'upstream-unavailable', text, failure);
}

function isGarbage(failure: unknown): boolean {
  if (failure instanceof SdkError || failure instanceof SyntaxError) return true;
  if (failure instanceof ResultTooLarge) return true;
  if (!(failure instanceof Error)) return false;
  // What Node's parser says of bytes that are no HTTP.
  const code = (failure as NodeJS.ErrnoException).code ?? '';
  return /^\$?ZodError$/.test(failure.name) || code.startsWith('HPE_');
}

function describe(error: Error): string {
  const { cause } = error;
  const text = cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
  return text.slice(0, 500);
}

function refusal(code: ProblemCode, internal: string, cause: unknown): Refusal {
  return new Refusal(code, { internal, cause });
}
