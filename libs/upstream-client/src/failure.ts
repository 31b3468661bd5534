import { Refusal } from '@gatehouse/problem-catalog';
import { SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';

const LONGEST_REASON = 300;

/** The server no longer knows the session that the request was sent in, so it did not act on it. */
export class SessionLost extends Refusal {
  constructor(internal: string, cause: unknown) {
    super('upstream-unavailable', { internal, cause });
  }
}

/** The other side said more in one message than is taken. */
export class MessageOverLimit extends Error {
  constructor(maxMessageBytes: number) {
    super(`a message is larger than ${maxMessageBytes} bytes`);
    this.name = 'MessageOverLimit';
  }
}

/** The refusal for whatever a transport threw. The reason is `internal`: it may hold addresses. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return isGarbled(error) ? garbled(reasonOf(error), error) : unavailable(reasonOf(error), error);
}

/** The same for a request that was sent in a session: 404 says by the specification that it is gone, and by many servers 400 does. */
export function refusalInSession(error: unknown): Refusal {
  if (!(error instanceof SdkHttpError)) return refusalOf(error);
  if (error.status === 404) return new SessionLost('it no longer knows the session', error);
  return error.status === 400 ? new SessionLost(reasonOf(error), error) : refusalOf(error);
}

export function unavailable(internal: string, cause?: unknown): Refusal {
  return new Refusal('upstream-unavailable', { internal, cause });
}

export function timedOut(internal: string, cause?: unknown): Refusal {
  return new Refusal('upstream-timeout', { internal, cause });
}

export function garbled(internal: string, cause?: unknown): Refusal {
  return new Refusal('upstream-garbled', { internal, cause });
}

// By words, where the SDK throws a plain Error that quotes another.
const OVER_LIMIT = /message is larger than|exceeded maximum size/;

/** Whether the other side was there, but what it said is no MCP. */
export function isGarbled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof SdkError) return error.code === SdkErrorCode.ClientHttpUnexpectedContent;
  return isNotJson(error) || isNotRpc(error) || isNotHttp(error) || OVER_LIMIT.test(error.message);
}

function isNotJson(error: Error): boolean {
  return error instanceof SyntaxError;
}

function isNotRpc(error: Error): boolean {
  return error.name === 'ZodError' || error.name === '$ZodError';
}

function isNotHttp(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code?.startsWith('HPE_') ?? false;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST_REASON);
  if (isNotRpc(error)) return 'it answered something that is not JSON-RPC 2.0';
  if (isNotJson(error)) return 'it answered something that is not JSON';
  if (error instanceof SdkHttpError) return reasonOfStatus(error);
  const told = error.cause instanceof Error ? error.cause : error;
  const { code } = told as { code?: string };
  const text = told.message === '' ? (code ?? told.name) : told.message;
  return text.slice(0, LONGEST_REASON);
}

function reasonOfStatus({ status, data, message }: SdkHttpError): string {
  const { text } = data;
  // The SDK follows no redirect to elsewhere, and says where it would have led.
  if (status >= 300 && status < 400)
    return message.replace('Error POSTing to endpoint: ', '').slice(0, LONGEST_REASON);
  const said = typeof text !== 'string' || text === '' ? '' : `: ${text}`;
  return `it answered HTTP ${status}${said}`.slice(0, LONGEST_REASON);
}
