import { isOutage, refusedIfUnavailable, type Logger } from '@gatehouse/platform';
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

// Graphql's parser has no other word for it.
const TOO_MANY_TOKENS = /^Syntax Error: Document contains more .* tokens\. Parsing aborted\.$/;

/** Turns what a resolver threw, or what graphql found wrong with a document, into a catalogued error. What is neither is a bug: it is logged, and its text is kept from the caller. */
export function toAdminError(error: GraphQLError, correlationId: string, log: Logger): AdminError {
  const { code, message } = catalogued(error, correlationId, log);
  return {
    message,
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    ...(error.path === undefined ? {} : { path: error.path }),
    extensions: { code, status: problem(code).status, correlationId },
  };
}

function catalogued(
  error: GraphQLError,
  correlationId: string,
  log: Logger,
): { readonly code: ProblemCode; readonly message: string } {
  const cause = refusedIfUnavailable(error.originalError);
  if (isOutage(cause)) {
    log.warn({ correlationId, code: cause.code, err: cause.cause }, 'request refused');
    return { code: cause.code, message: cause.message };
  }
  if (cause instanceof Refusal) {
    log.info({ correlationId, code: cause.code, internal: cause.internal }, 'request refused');
    return { code: cause.code, message: cause.message };
  }
  if (TOO_MANY_TOKENS.test(error.message))
    return { code: 'query-too-complex', message: error.message };
  if (isAboutRequest(error)) return { code: 'request-invalid', message: error.message };
  log.error({ correlationId, err: cause ?? error, path: error.path }, 'request failed');
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
  correlationId: string,
  log: Logger,
): { readonly statusCode: number; readonly errors: readonly AdminError[] } {
  const shown = errors.map((error) => toAdminError(error, correlationId, log));
  const fatal = data === undefined ? shown.find(({ path }) => path === undefined) : undefined;
  return { statusCode: fatal?.extensions.status ?? 200, errors: shown };
}
