import { given } from '@gatehouse/event-sourcing';
import { describe, it } from 'vitest';
import { roleAssignmentDecider, type RoleAssignmentEvent } from './role-assignment.decider.ts';

const assignee = { kind: 'group', id: 'g1' } as const;
const assign = { type: 'assign-role', assignee, role: 'developer', roleExists: true } as const;
const revoke = { type: 'revoke-role', assignee, role: 'developer' } as const;
const assigned: RoleAssignmentEvent = {
  type: 'identity.role-assigned.v1',
  data: { assignee, role: 'developer' },
};
const revoked: RoleAssignmentEvent = {
  type: 'identity.role-revoked.v1',
  data: { assignee, role: 'developer' },
};

describe('the roles of an assignee', () => {
  it('grow by one that exists, once', () => {
    given(roleAssignmentDecider).when(assign).emits(assigned);
    given(roleAssignmentDecider, assigned).when(assign).emitsNothing();
    given(roleAssignmentDecider, assigned, revoked).when(assign).emits(assigned);
  });

  it('never grow by a role that policy does not have', () => {
    given(roleAssignmentDecider)
      .when({ ...assign, roleExists: false })
      .refuses('role-unknown');
  });

  it('shrink by one that is held, once', () => {
    given(roleAssignmentDecider, assigned).when(revoke).emits(revoked);
    given(roleAssignmentDecider, assigned, revoked).when(revoke).emitsNothing();
    given(roleAssignmentDecider).when(revoke).emitsNothing();
  });
});
