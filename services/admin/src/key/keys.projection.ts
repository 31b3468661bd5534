import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { Projection, SqlClient } from '@gatehouse/platform';

/** The bearer keys. The digest of the secret stays behind in the event: nobody here needs it. */
export const keysProjection: Projection = {
  name: 'keys',
  tables: ['bearer_key'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.key-issued.v1':
        return insert(client, event);
      case 'identity.key-retiring.v1':
        await client.query(
          'update bearer_key set replaced_by = $2, overlap_until = $3 where id = $1',
          [event.data.keyId, event.data.replacedBy, event.data.overlapUntil],
        );
        return;
      case 'identity.key-revoked.v1':
        await client.query(
          'update bearer_key set revoked_at = $2, revoked_because = $3 where id = $1',
          [event.data.keyId, event.occurredAt, event.data.reason],
        );
        return;
      default:
    }
  },
};

async function insert(
  client: SqlClient,
  { data, occurredAt, actor }: RecordedEvent<'identity.key-issued.v1'>,
): Promise<void> {
  await client.query(
    `insert into bearer_key (id, principal_kind, principal_id, label, expires_at, rotated_from, issued_at, issued_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      data.keyId,
      data.principal.kind,
      data.principal.id,
      data.label,
      data.expiresAt,
      data.rotatedFrom,
      occurredAt,
      actor,
    ],
  );
}
