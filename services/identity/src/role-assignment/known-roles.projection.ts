import type { Projection } from '@gatehouse/platform';

/** The names of the roles that policy has. */
export const knownRolesProjection: Projection = {
  name: 'known-roles',
  tables: ['known_roles'],
  async apply(client, { type, data }) {
    switch (type) {
      case 'policy.role-defined.v1':
        await client.query('insert into known_roles (name) values ($1) on conflict do nothing', [
          data.role.name,
        ]);
        return;
      case 'policy.role-deleted.v1':
        await client.query('delete from known_roles where name = $1', [data.name]);
        return;
      default:
    }
  },
};
