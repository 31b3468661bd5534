import type { InlineProjection } from '@gatehouse/platform';

/** Every group and who is in it; a deleted group takes its members' rows along. */
export const groupsProjection: InlineProjection = {
  name: 'groups',
  tables: ['group_members', 'groups'],
  async apply(client, { type, data }) {
    switch (type) {
      case 'identity.group-created.v1':
        await client.query('insert into groups (group_id, display_name) values ($1, $2)', [
          data.groupId,
          data.displayName,
        ]);
        return;
      case 'identity.group-renamed.v1':
        await client.query('update groups set display_name = $2 where group_id = $1', [
          data.groupId,
          data.displayName,
        ]);
        return;
      case 'identity.group-member-added.v1':
        await client.query('insert into group_members (group_id, user_id) values ($1, $2)', [
          data.groupId,
          data.userId,
        ]);
        return;
      case 'identity.group-member-removed.v1':
        await client.query('delete from group_members where group_id = $1 and user_id = $2', [
          data.groupId,
          data.userId,
        ]);
        return;
      case 'identity.group-deleted.v1':
        await client.query('delete from groups where group_id = $1', [data.groupId]);
        return;
      default:
    }
  },
};
