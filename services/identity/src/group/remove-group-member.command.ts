import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { groupDecider, groupStream } from './group.decider.ts';

/** Takes a person out of a group, unless that would leave nobody to administer the gate. */
export const removeGroupMember =
  (store: EventStore): Handler<'remove-group-member'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      groupDecider,
      groupStream(command.groupId),
      { type: 'remove-group-member', ...command },
      context,
    );
    return receipt(outcome, null);
  };
