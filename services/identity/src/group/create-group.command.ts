import { randomUUID } from 'node:crypto';
import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { groupDecider, groupStream } from './group.decider.ts';

/** Creates a group; display names need not be unique, for nothing is granted by them. */
export const createGroup =
  (store: EventStore): Handler<'create-group'> =>
  async ({ displayName }, context) => {
    const groupId = randomUUID();
    const outcome = await handleCommand(
      store,
      groupDecider,
      groupStream(groupId),
      { type: 'create-group', groupId, displayName },
      context,
    );
    return receipt(outcome, { groupId });
  };
