import { SpanStatusCode } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { inSpan, isTracing, startSpan } from '../tracing/span.ts';

// What asks again and again whether all is well.
const UNTOLD = /^\/(?:health\/|metrics$)/;

/**
 * A span for each request that the framework takes to a route, as part of the trace that it names. Begun only once the
 * body has been read, so that nobody who is refused before makes one, and what runs after is part of it.
 */
export function traceRequests(framework: FastifyInstance): void {
  framework.addHook('preValidation', (request, reply, done) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    if (!isTracing() || route === undefined || UNTOLD.test(route)) return done();
    const { traceparent } = request.headers;
    const span = startSpan(`${request.method} ${route}`, {
      kind: 'server',
      from: typeof traceparent === 'string' ? traceparent : null,
      attributes: { 'http.request.method': request.method, 'http.route': route },
    });
    reply.raw.once('close', () => {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    inSpan(span, done);
  });
}
