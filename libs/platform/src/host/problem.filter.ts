import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusedIfUnavailable } from '../database/unavailable.ts';
import type { Logger } from '../log/logger.ts';
import { currentSpan, markFailed } from '../tracing/span.ts';
import { logFailure } from './log-failure.ts';
import { problemDocument } from './problem-document.ts';

const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'request-invalid',
  404: 'not-found',
  405: 'http-method-unsupported',
  413: 'body-too-large',
  415: 'content-type-unsupported',
};

/** The one place where an error becomes an HTTP answer: a catalogued problem+json, or `internal` with only a correlation id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    // GraphQL answers its own errors; there is no reply to write to.
    if (typeof reply?.code !== 'function') throw thrown;
    const error = fromFramework(thrown);
    const document = problemDocument(error, request.id);
    this.#note(error, request);
    markFailed(currentSpan(), error);
    void reply.code(document.status).type('application/problem+json').send(document);
  }

  #note(error: unknown, { id: correlationId, method, url }: FastifyRequest): void {
    logFailure(this.#log, { correlationId, method, path: url.split('?')[0] }, error);
  }
}

function fromFramework(thrown: unknown): unknown {
  const status =
    thrown instanceof HttpException
      ? thrown.getStatus()
      : (thrown as { statusCode?: number }).statusCode;
  const code = status === undefined ? undefined : BY_STATUS[status];
  return code === undefined ? refusedIfUnavailable(thrown) : new Refusal(code, { cause: thrown });
}
