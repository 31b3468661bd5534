import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../policy-handler.ts';
import { BUNDLE_STREAM, bundleDecider } from './bundle.decider.ts';

/** Deletes a role and publishes the next bundle. */
export const deleteRole =
  (store: EventStore): Handler<'delete-role'> =>
  async ({ name }, context) => {
    const outcome = await handleCommand(
      store,
      bundleDecider,
      BUNDLE_STREAM,
      { type: 'delete-role', name },
      context,
    );
    return receipt(outcome, { bundleNumber: outcome.state.number });
  };
