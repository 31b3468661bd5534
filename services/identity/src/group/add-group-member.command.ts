import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { groupDecider, groupStream } from './group.decider.ts';

/** Adds a known person to a group. */
export const addGroupMember =
  (store: EventStore): Handler<'add-group-member'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      groupDecider,
      groupStream(command.groupId),
      { type: 'add-group-member', ...command },
      context,
    );
    return receipt(outcome, null);
  };
