import { handleCommand, type EventStore } from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import type { Handler } from '../identity-handler.ts';
import { roleAssignmentDecider, rolesStream } from './role-assignment.decider.ts';

/** Gives a role that policy has to an assignee that is there. */
export const assignRole =
  (store: EventStore, roleExists: (role: string) => Promise<boolean>): Handler<'assign-role'> =>
  async ({ assignee, role }, context) => {
    const outcome = await handleCommand(
      store,
      roleAssignmentDecider,
      rolesStream(assignee),
      { type: 'assign-role', assignee, role, roleExists: await roleExists(role) },
      context,
    );
    return receipt(outcome, null);
  };
