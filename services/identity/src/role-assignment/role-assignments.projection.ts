import type { InlineProjection } from '@gatehouse/platform';

/** Who holds which role; what a deleted group held goes with it. */
export const roleAssignmentsProjection: InlineProjection = {
  name: 'role-assignments',
  tables: ['role_assignments'],
  async apply(client, { type, data, position }) {
    switch (type) {
      case 'identity.role-assigned.v1':
        await client.query(
          'insert into role_assignments (assignee_kind, assignee_id, role, position) values ($1, $2, $3, $4)',
          [data.assignee.kind, data.assignee.id, data.role, position],
        );
        return;
      case 'identity.role-revoked.v1':
        await client.query(
          'delete from role_assignments where assignee_kind = $1 and assignee_id = $2 and role = $3',
          [data.assignee.kind, data.assignee.id, data.role],
        );
        return;
      case 'identity.group-deleted.v1':
        await client.query(
          `delete from role_assignments where assignee_kind = 'group' and assignee_id = $1`,
          [data.groupId],
        );
        return;
      default:
    }
  },
};
