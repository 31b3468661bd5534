import type { InlineProjection } from '@gatehouse/platform';
import { nameKey } from '../directory/name-key.ts';

/** Every person, with the user names unique whatever their letter case. */
export const usersProjection: InlineProjection = {
  name: 'users',
  tables: ['users'],
  refusals: { users_name_key: 'user-name-taken' },
  async apply(client, { type, data }) {
    switch (type) {
      case 'identity.user-provisioned.v1':
        await client.query(
          `insert into users (user_id, user_name, name_key, display_name, email, active)
           values ($1, $2, $3, $4, $5, true)`,
          [data.userId, data.userName, nameKey(data.userName), data.displayName, data.email],
        );
        return;
      case 'identity.user-updated.v1':
        await client.query(
          `update users set user_name = $2, name_key = $3, display_name = $4, email = $5 where user_id = $1`,
          [data.userId, data.userName, nameKey(data.userName), data.displayName, data.email],
        );
        return;
      case 'identity.user-deactivated.v1':
        await client.query('update users set active = false where user_id = $1', [data.userId]);
        return;
      case 'identity.user-reactivated.v1':
        await client.query('update users set active = true where user_id = $1', [data.userId]);
        return;
      default:
    }
  },
};
