import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../policy-handler.ts';
import { BUNDLE_STREAM, bundleDecider } from './bundle.decider.ts';

/** Writes or rewrites a role and publishes the next bundle; a role that says what it said publishes none. */
export const defineRole =
  (store: EventStore): Handler<'define-role'> =>
  async ({ role }, context) => {
    const outcome = await handleCommand(
      store,
      bundleDecider,
      BUNDLE_STREAM,
      { type: 'define-role', role },
      context,
    );
    return receipt(outcome, { bundleNumber: outcome.state.number });
  };
