import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { userDecider, userStream } from './user.decider.ts';

/** Locks a person out, unless that would leave nobody to administer the gate. */
export const deactivateUser =
  (store: EventStore): Handler<'deactivate-user'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      userDecider,
      userStream(command.userId),
      { type: 'deactivate-user', ...command },
      context,
    );
    return receipt(outcome, null);
  };
