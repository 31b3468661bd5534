import type { Projection } from '@gatehouse/platform';

/** The groups of people. */
export const groupsProjection: Projection = {
  name: 'groups',
  tables: ['user_group'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.group-created.v1':
        await client.query(
          'insert into user_group (id, display_name, created_at) values ($1, $2, $3)',
          [event.data.groupId, event.data.displayName, event.occurredAt],
        );
        return;
      case 'identity.group-renamed.v1':
        await client.query('update user_group set display_name = $2 where id = $1', [
          event.data.groupId,
          event.data.displayName,
        ]);
        return;
      case 'identity.group-deleted.v1':
        await client.query('delete from user_group where id = $1', [event.data.groupId]);
        return;
      default:
    }
  },
};
