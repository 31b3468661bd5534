import type { InlineProjection } from '@gatehouse/platform';

/** The newest bundle, whole. */
export const currentBundleProjection: InlineProjection = {
  name: 'current-bundle',
  tables: ['current_bundle'],
  async apply(client, { type, data }) {
    if (type !== 'policy.bundle-published.v1') return;
    await client.query(
      `insert into current_bundle (number, roles) values ($1, $2)
       on conflict (only_row) do update set number = excluded.number, roles = excluded.roles`,
      [data.number, JSON.stringify(data.roles)],
    );
  },
};
