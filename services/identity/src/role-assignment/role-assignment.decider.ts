import type { Assignee, EventOf } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';

export type RoleAssignmentEvent = EventOf<'identity.role-assigned.v1' | 'identity.role-revoked.v1'>;

/** The roles that one assignee holds. */
export type HeldRoles = ReadonlySet<string>;

export type RoleAssignmentCommand =
  | {
      readonly type: 'assign-role';
      readonly assignee: Assignee;
      readonly role: string;
      /** Whether policy has this role, as far as identity has heard. */
      readonly roleExists: boolean;
    }
  | { readonly type: 'revoke-role'; readonly assignee: Assignee; readonly role: string };

/** The stream of what one user, group or agent holds. */
export const rolesStream = ({ kind, id }: Assignee): string => `roles-${kind}-${id}`;

/** The roles of one assignee. A role that policy has deleted can still be taken away, never given. */
export const roleAssignmentDecider: Decider<HeldRoles, RoleAssignmentCommand, RoleAssignmentEvent> =
  {
    initialState: new Set(),
    decide(command, held) {
      const { assignee, role } = command;
      switch (command.type) {
        case 'assign-role':
          if (!command.roleExists) throw new Refusal('role-unknown');
          if (held.has(role)) return [];
          return [{ type: 'identity.role-assigned.v1', data: { assignee, role } }];
        case 'revoke-role':
          if (!held.has(role)) return [];
          return [{ type: 'identity.role-revoked.v1', data: { assignee, role } }];
      }
    },
    evolve(held, { type, data }) {
      switch (type) {
        case 'identity.role-assigned.v1':
          return new Set([...held, data.role]);
        case 'identity.role-revoked.v1':
          return new Set([...held].filter((role) => role !== data.role));
      }
    },
  };
