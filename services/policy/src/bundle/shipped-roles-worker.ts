import type { Actor } from '@gatehouse/event-catalog';
import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import type { Clock, Readiness, Worker } from '@gatehouse/platform';
import { BUNDLE_STREAM, bundleDecider } from './bundle.decider.ts';
import { shippedRoles } from './shipped-roles.ts';

const ACTOR: Actor = { kind: 'service', id: 'policy', name: 'policy' };

/** Publishes the shipped roles as the first bundle when the service starts for the first time; later starts find one. */
export function shippedRolesWorker(deps: {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly readiness: Readiness;
}): Worker {
  const waiting = deps.readiness.waitFor('first policy bundle');
  return {
    name: 'policy shipped roles',
    async start() {
      await handleCommand(
        deps.store,
        bundleDecider,
        BUNDLE_STREAM,
        { type: 'publish-shipped-roles', roles: shippedRoles },
        { actor: ACTOR, now: deps.clock.now(), correlationId: 'policy-first-start' },
      );
      waiting.done();
    },
    async stop() {},
  };
}
