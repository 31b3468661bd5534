import { Refusal } from '@gatehouse/problem-catalog';
import type { FastifyInstance } from 'fastify';
import { problemDocument } from './problem-document.ts';
import { canonicalPath } from './request-target.ts';

/** The requests that a process has taken and not answered yet. */
export interface RequestsInHand {
  /** Takes no more, and resolves when all are answered, or after the time given; answers how many were not. */
  finish(withinMs: number): Promise<number>;
}

const HEALTH = /^\/health(?:\/|$)/;
const INTERNAL = /^\/internal(?:\/|$)/;
// From outside first: what is in hand there may have to ask another service of this process.
const KINDS = ['external', 'internal'] as const;

/** Counts what is in hand, and once it is to be finished refuses what is new; health is told until the end. */
export function followRequests(framework: FastifyInstance): RequestsInHand {
  const inHand = { external: 0, internal: 0 };
  const refused = new Set<(typeof KINDS)[number]>();
  let look = (): void => undefined;
  framework.addHook('onRequest', (request, reply, done) => {
    const path = canonicalPath(request.url);
    if (HEALTH.test(path)) return done();
    const kind = INTERNAL.test(path) ? 'internal' : 'external';
    if (refused.has(kind)) {
      const refusal = new Refusal('service-unavailable', { detail: 'This process is stopping.' });
      const document = problemDocument(refusal, request.id);
      const answer = reply.code(document.status).header('connection', 'close');
      return void answer.type('application/problem+json').send(document);
    }
    inHand[kind] += 1;
    let answered = false;
    for (const end of ['finish', 'close'] as const) {
      reply.raw.once(end, () => {
        if (!answered) inHand[kind] -= 1;
        answered = true;
        look();
      });
    }
    done();
  });
  return {
    async finish(withinMs) {
      const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, withinMs);
      for (const kind of KINDS) {
        refused.add(kind);
        const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
        look = () => {
          if (inHand[kind] === 0) finish();
        };
        look();
        await Promise.race([finished, timeIsOver]);
      }
      clearTimeout(timer);
      return inHand.external + inHand.internal;
    },
  };
}
