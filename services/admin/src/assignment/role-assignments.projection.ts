import type { Projection } from '@gatehouse/platform';

/** Who holds which role. */
export const roleAssignmentsProjection: Projection = {
  name: 'role assignments',
  tables: ['role_assignment'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.role-assigned.v1': {
        const { assignee, role } = event.data;
        await client.query(
          `insert into role_assignment (assignee_kind, assignee_id, role, assigned_at, assigned_by)
           values ($1, $2, $3, $4, $5) on conflict do nothing`,
          [assignee.kind, assignee.id, role, event.occurredAt, event.actor],
        );
        return;
      }
      case 'identity.role-revoked.v1': {
        const { assignee, role } = event.data;
        await client.query(
          'delete from role_assignment where assignee_kind = $1 and assignee_id = $2 and role = $3',
          [assignee.kind, assignee.id, role],
        );
        return;
      }
      default:
    }
  },
};
