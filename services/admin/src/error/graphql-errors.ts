import { logFailure, refusedIfUnavailable, type Logger } from '@gatehouse/platform';
import { problem, Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** One error as a client of this API reads it. */
export interface AdminError extends GraphQLFormattedError {
  readonly extensions: {
    readonly code: ProblemCode;
    readonly status: number;
    readonly correlationId: string;
  };
}

/** Which request a log line is about. */
interface About {
  readonly correlationId: string;
  readonly method: string;
  readonly path: string;
}

// What MCP answers within a result carries 200 in the catalogue; here it is a failure of somebody behind this API.
const BAD_GATEWAY = 502;

/** The HTTP status of a problem, where it is told by this API. */
function statusOf(code: ProblemCode): number {
  const { status } = problem(code);
  if (status >= 400) return status;
  return code === 'upstream-timeout' ? 504 : BAD_GATEWAY;
}

/** The request's part of each log line about it; what was asked for may be a secret and stays out. */
export function about(request: {
  readonly id: string;
  readonly method: string;
  readonly url: string;
}): About {
  const { id: correlationId, method, url } = request;
  return { correlationId, method, path: url.split('?')[0] ?? url };
}

/** Turns what a resolver threw, or what graphql found wrong with a document, into a catalogued error. What is neither is a bug: it is logged, and its text is kept from the caller. */
export function toAdminError(error: GraphQLError, of: About, log: Logger): AdminError {
  const { code, message } = catalogued(error, of, log);
  return {
    message,
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    ...(error.path === undefined ? {} : { path: error.path }),
    extensions: { code, status: statusOf(code), correlationId: of.correlationId },
  };
}

function catalogued(
  error: GraphQLError,
  of: About,
  log: Logger,
): { readonly code: ProblemCode; readonly message: string } {
  const cause = refusedIfUnavailable(error.originalError);
  if (cause instanceof Refusal) {
    logFailure(log, of, cause);
    return { code: cause.code, message: cause.message };
  }
  if (isAboutRequest(error)) {
    log.info({ ...of, code: 'request-invalid' }, 'request refused');
    return { code: 'request-invalid', message: error.message };
  }
  logFailure(log, { ...of, field: error.path }, cause ?? error);
  return { code: 'internal', message: problem('internal').title };
}

// What graphql itself finds in a document or its variables has no path yet; whatever has one failed while executing.
function isAboutRequest({ path, originalError }: GraphQLError): boolean {
  return (
    path === undefined && (originalError === undefined || originalError instanceof GraphQLError)
  );
}

/** What the answer to an operation says of its errors: those without a path kept it from being executed at all. */
export function answerErrors(
  { data, errors }: { readonly data?: unknown; readonly errors: readonly GraphQLError[] },
  of: About,
  log: Logger,
): { readonly statusCode: number; readonly errors: readonly AdminError[] } {
  const shown = errors.map((error) => toAdminError(error, of, log));
  const fatal = data === undefined ? shown.find(({ path }) => path === undefined) : undefined;
  return { statusCode: fatal?.extensions.status ?? 200, errors: shown };
}
