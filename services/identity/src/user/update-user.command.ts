import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { userDecider, userStream } from './user.decider.ts';

/** Changes a person's names or address. */
export const updateUser =
  (store: EventStore): Handler<'update-user'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      userDecider,
      userStream(command.userId),
      { type: 'update-user', ...command },
      context,
    );
    return receipt(outcome, null);
  };
