import type { FastifyInstance } from 'fastify';
import { counter, histogram } from '../metrics/metric.ts';

const requests = counter({
  name: 'gatehouse_http_requests_total',
  help: 'HTTP requests that were answered, but for those of MCP, which the gate counts itself.',
  labels: ['method', 'route', 'status'],
});
const duration = histogram({
  name: 'gatehouse_http_request_duration_seconds',
  help: 'How long these requests took, by the template of their route.',
  labels: ['method', 'route'],
});

/** Counts what the framework answers. An address that is none has the route `none`, whatever it was. */
export function measureRequests(framework: FastifyInstance): void {
  framework.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = (request.is404 ? undefined : request.routeOptions.url) ?? 'none';
    requests.inc({ method, route, status: `${Math.floor(reply.statusCode / 100)}xx` });
    duration.observe({ method, route }, reply.elapsedTime / 1000);
    done();
  });
}
