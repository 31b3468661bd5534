import type { Projection } from '@gatehouse/platform';

/** The number of the bundle that gateways decide by. */
export const bundleProjection: Projection = {
  name: 'bundle',
  tables: ['bundle'],
  async apply(client, event) {
    if (event.type !== 'policy.bundle-published.v1') return;
    await client.query(
      `insert into bundle (number, published_at) values ($1, $2)
       on conflict (only_row) do update set number = excluded.number, published_at = excluded.published_at
       where bundle.number < excluded.number`,
      [event.data.number, event.occurredAt],
    );
  },
};
