import { Refusal } from '@gatehouse/problem-catalog';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { carriesServiceToken } from '../command/service-token.ts';
import { problemDocument } from './problem-document.ts';
import { canonicalPath } from './request-target.ts';

const INTERNAL = /^\/internal(?:\/|$)/;

/** Answers whoever has no service token that there is nothing at `/internal`, before anything else is looked at. */
export function hideInternal(framework: FastifyInstance, serviceToken: string): void {
  framework.addHook('onRequest', (request, reply, done) => {
    const hidden = INTERNAL.test(canonicalPath(request.url));
    if (!hidden || carriesServiceToken(serviceToken, request.headers.authorization)) return done();
    sendNotFound(request.id, reply);
  });
}

/** Says that there is nothing at an address, in the same bytes whatever may be there. */
export function sendNotFound(correlationId: string, reply: FastifyReply): void {
  const document = problemDocument(new Refusal('not-found'), correlationId);
  void reply.code(document.status).type('application/problem+json').send(document);
}
