import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { groupDecider, groupStream } from './group.decider.ts';

/** Renames a group; its roles hang on its id and stay. */
export const renameGroup =
  (store: EventStore): Handler<'rename-group'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      groupDecider,
      groupStream(command.groupId),
      { type: 'rename-group', ...command },
      context,
    );
    return receipt(outcome, null);
  };
