import { Refusal } from '@gatehouse/problem-catalog';
import { SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';

const LONGEST_REASON = 300;

/** The refusal for whatever a transport threw. The reason is `internal`: it may hold addresses. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return isGarbled(error) ? garbled(reasonOf(error), error) : unavailable(reasonOf(error), error);
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

// By name and words, where the SDK's own copy of a library throws, or a plain Error that quotes another.
const OVER_LIMIT = /message is larger than|exceeded maximum size/;

/** Whether the other side was there, but what it said is no MCP. */
export function isGarbled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof SdkError) return error.code === SdkErrorCode.ClientHttpUnexpectedContent;
  return isNotJson(error) || isNotRpc(error) || OVER_LIMIT.test(error.message);
}

/** Whether the server says that there is no such session: it restarted, or tired of us. */
export function isSessionGone(error: unknown): boolean {
  return error instanceof SdkHttpError && error.status === 404;
}

function isNotJson(error: Error): boolean {
  return error instanceof SyntaxError;
}

function isNotRpc(error: Error): boolean {
  return error.name === 'ZodError' || error.name === '$ZodError';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST_REASON);
  if (isNotRpc(error)) return 'it answered something that is not JSON-RPC 2.0';
  if (isNotJson(error)) return 'it answered something that is not JSON';
  if (error instanceof SdkHttpError) return reasonOfStatus(error);
  // `fetch failed` says nothing; its cause does.
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
