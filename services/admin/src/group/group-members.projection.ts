import type { Projection } from '@gatehouse/platform';

/** Who is in which group. */
export const groupMembersProjection: Projection = {
  name: 'group members',
  tables: ['group_member'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.group-member-added.v1':
        await client.query(
          `insert into group_member (group_id, user_id) values ($1, $2) on conflict do nothing`,
          [event.data.groupId, event.data.userId],
        );
        return;
      case 'identity.group-member-removed.v1':
        await client.query('delete from group_member where group_id = $1 and user_id = $2', [
          event.data.groupId,
          event.data.userId,
        ]);
        return;
      case 'identity.group-deleted.v1':
        await client.query('delete from group_member where group_id = $1', [event.data.groupId]);
        return;
      default:
    }
  },
};
