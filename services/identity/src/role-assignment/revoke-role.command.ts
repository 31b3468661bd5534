import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { roleAssignmentDecider, rolesStream } from './role-assignment.decider.ts';

/** Takes a role from an assignee, unless that would leave nobody to administer the gate. */
export const revokeRole =
  (store: EventStore): Handler<'revoke-role'> =>
  async (command, context) => {
    const outcome = await handleCommand(
      store,
      roleAssignmentDecider,
      rolesStream(command.assignee),
      { type: 'revoke-role', ...command },
      context,
    );
    return receipt(outcome, null);
  };
