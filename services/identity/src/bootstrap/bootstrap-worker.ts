import type { Logger, Readiness, Worker } from '@gatehouse/platform';
import { createBootstrapAdmin, type BootstrapDeps } from './create-bootstrap-admin.ts';

/** Makes the first administrator when the service starts; the process is not ready before, and does not start when that fails. */
export function bootstrapWorker(
  deps: BootstrapDeps & { readonly readiness: Readiness; readonly log: Logger },
): Worker {
  const waiting = deps.readiness.waitFor('first administrator');
  return {
    name: 'identity bootstrap',
    async start() {
      if (await createBootstrapAdmin(deps))
        deps.log.info('the first administrator was made; its token is in the data directory');
      waiting.done();
    },
    async stop() {},
  };
}
