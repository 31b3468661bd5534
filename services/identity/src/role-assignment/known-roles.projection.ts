import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { Projection, SqlClient } from '@gatehouse/platform';

/** The names of the roles that policy has, and which it deleted: each as of its newest event, whatever is delivered anew. A rebuild forgets both, for policy may have been set back, but not when it heard of a deletion. */
export const knownRolesProjection: Projection = {
  name: 'known-roles',
  tables: ['known_roles', 'role_deletions'],
  async apply(client, event) {
    switch (event.type) {
      case 'policy.role-defined.v1':
        await client.query(
          `insert into known_roles as known (name, position) select $1, $2
           where not exists (select from role_deletions where role = $1 and position > $2)
           on conflict (name) do update set position = greatest(known.position, excluded.position)`,
          [event.data.role.name, event.position],
        );
        return;
      case 'policy.role-deleted.v1':
        await forgetRole(client, event.data.name, event);
        return;
      default:
    }
  },
};

async function forgetRole(
  client: SqlClient,
  role: string,
  { position, id, correlationId }: RecordedEvent,
): Promise<void> {
  // The lock on the head keeps appends out: an assignment either lies before this place in the log or sees the role gone.
  const { rows } = await client.query<{ position: number }>(
    'select position from event_head for update',
  );
  await client.query('delete from known_roles where name = $1 and position < $2', [role, position]);
  await client.query(
    'insert into heard_deletions (event_id, assigned_until) values ($1, $2) on conflict do nothing',
    [id, rows[0]?.position ?? 0],
  );
  await client.query(
    `insert into role_deletions as known (role, position, event_id, correlation_id, assigned_until)
     select $1, $2, event_id, $4, assigned_until from heard_deletions where event_id = $3
     on conflict (role) do update set position = excluded.position, event_id = excluded.event_id,
       correlation_id = excluded.correlation_id, assigned_until = excluded.assigned_until, handled = false
     where known.position < excluded.position`,
    [role, position, id, correlationId],
  );
}

/** What a process of an older release heard it did not note on its own: before a rebuild empties the deletions, it is kept. */
export async function keepHeardDeletions(client: SqlClient): Promise<void> {
  await client.query(
    `insert into heard_deletions (event_id, assigned_until)
     select event_id, assigned_until from role_deletions on conflict do nothing`,
  );
}
