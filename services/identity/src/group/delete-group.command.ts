import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { groupDecider, groupStream } from './group.decider.ts';

/** Deletes a group, unless that would leave nobody to administer the gate. */
export const deleteGroup =
  (store: EventStore): Handler<'delete-group'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      groupDecider,
      groupStream(command.groupId),
      { type: 'delete-group', ...command },
      context,
    );
    return receipt(outcome, null);
  };
