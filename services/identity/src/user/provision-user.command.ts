import { randomUUID } from 'node:crypto';
import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { userDecider, userStream } from './user.decider.ts';

/** Adds a person to the directory; a user name that somebody has is refused. */
export const provisionUser =
  (store: EventStore): Handler<'provision-user'> =>
  async (command, context) => {
    const userId = randomUUID();
    const outcome = await handleCommand(
      store,
      userDecider,
      userStream(userId),
      { type: 'provision-user', userId, ...command },
      context,
    );
    return receipt(outcome, { userId });
  };
