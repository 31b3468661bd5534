import type { InlineProjection } from '@gatehouse/platform';

/** Every key there ever was, with the digest of its secret and how it ends. */
export const keysProjection: InlineProjection = {
  name: 'keys',
  tables: ['keys'],
  async apply(client, { type, data, occurredAt }) {
    switch (type) {
      case 'identity.key-issued.v1':
        await client.query(
          `insert into keys (key_id, principal_kind, principal_id, label, secret_sha256, issued_at, expires_at, rotated_from)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [
            data.keyId,
            data.principal.kind,
            data.principal.id,
            data.label,
            data.secretSha256,
            occurredAt,
            data.expiresAt,
            data.rotatedFrom,
          ],
        );
        return;
      case 'identity.key-retiring.v1':
        await client.query(
          'update keys set replaced_by = $2, overlap_until = $3 where key_id = $1',
          [data.keyId, data.replacedBy, data.overlapUntil],
        );
        return;
      case 'identity.key-revoked.v1':
        await client.query('update keys set revoked_at = $2 where key_id = $1', [
          data.keyId,
          occurredAt,
        ]);
        return;
      default:
    }
  },
};
