import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { userDecider, userStream } from './user.decider.ts';

/** Lets a deactivated person call again. */
export const reactivateUser =
  (store: EventStore): Handler<'reactivate-user'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      userDecider,
      userStream(command.userId),
      { type: 'reactivate-user', ...command },
      context,
    );
    return receipt(outcome, null);
  };
