import {
  currentSpan,
  failSpan,
  logFailure,
  problemDocument,
  type Logger,
} from '@gatehouse/platform';
import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { GraphQLError } from 'graphql';
import { countOperation, type AnsweringReply } from '../limits/operation-metrics.ts';
import { about, toAdminError } from './graphql-errors.ts';

// What Fastify refuses before there is an operation.
const BY_FASTIFY_CODE: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'json-malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'json-malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request-invalid',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'content-type-unsupported',
};

interface Failure extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly errors?: readonly Error[];
}

interface Reply extends AnsweringReply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  type(contentType: string): Reply;
  send(body: unknown): unknown;
}

/** Answers a request that came to nothing: an operation that was refused as a whole in GraphQL's form, anything before that as a problem document. */
export function answerFailure(
  failure: Failure,
  request: { readonly id: string; readonly method: string; readonly url: string },
  reply: Reply,
  log: Logger,
): void {
  const of = about(request);
  const findings = failure instanceof GraphQLError ? [failure] : failure.errors;
  if (findings === undefined) {
    const error = fromFastify(failure);
    const document = problemDocument(error, request.id);
    countOperation(reply, document.code);
    logFailure(log, of, error);
    if (document.code === 'http-method-unsupported') reply.header('allow', 'POST');
    void reply.code(document.status).type('application/problem+json').send(document);
    return;
  }
  const errors = findings.map((error) =>
    toAdminError(error instanceof GraphQLError ? error : new GraphQLError(error.message), of, log),
  );
  const code = errors[0]?.extensions.code ?? 'internal';
  countOperation(reply, code);
  failSpan(currentSpan(), code);
  void reply.code(errors[0]?.extensions.status ?? 400).send({ data: null, errors });
}

/** A refusal of an operation as a whole. */
export function refuseOperation(refusal: Refusal): GraphQLError {
  return new GraphQLError(refusal.message, { originalError: refusal });
}

function fromFastify(failure: Failure): unknown {
  const code = BY_FASTIFY_CODE[failure.code ?? ''];
  if (code !== undefined) return new Refusal(code, { cause: failure });
  // The body parser's own complaint about JSON has a status and no code.
  return failure instanceof SyntaxError && failure.statusCode === 400
    ? new Refusal('json-malformed', { cause: failure })
    : failure;
}
