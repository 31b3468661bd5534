import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { Projection, SqlClient } from '@gatehouse/platform';

/** The people in the directory. */
export const usersProjection: Projection = {
  name: 'users',
  tables: ['app_user'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.user-provisioned.v1':
        return insert(client, event);
      case 'identity.user-updated.v1':
        return update(client, event);
      case 'identity.user-deactivated.v1':
        return setActive(client, event.data.userId, false, event.data.reason);
      case 'identity.user-reactivated.v1':
        return setActive(client, event.data.userId, true, null);
      default:
    }
  },
};

async function insert(
  client: SqlClient,
  { data, occurredAt }: RecordedEvent<'identity.user-provisioned.v1'>,
): Promise<void> {
  await client.query(
    `insert into app_user (id, user_name, display_name, email, active, provisioned_at)
     values ($1, $2, $3, $4, true, $5)`,
    [data.userId, data.userName, data.displayName, data.email, occurredAt],
  );
}

async function update(
  client: SqlClient,
  { data }: RecordedEvent<'identity.user-updated.v1'>,
): Promise<void> {
  await client.query(
    'update app_user set user_name = $2, display_name = $3, email = $4 where id = $1',
    [data.userId, data.userName, data.displayName, data.email],
  );
}

async function setActive(
  client: SqlClient,
  userId: string,
  active: boolean,
  because: string | null,
): Promise<void> {
  await client.query('update app_user set active = $2, deactivated_because = $3 where id = $1', [
    userId,
    active,
    because,
  ]);
}
