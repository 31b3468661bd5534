import type { SqlClient, Projection } from '@gatehouse/platform';

/** The robots with identities of their own. */
export const agentsProjection: Projection = {
  name: 'agents',
  tables: ['agent'],
  async apply(client, event) {
    switch (event.type) {
      case 'identity.agent-registered.v1': {
        const { agentId, name, description, ownerUserId } = event.data;
        await client.query(
          `insert into agent (id, name, description, owner_user_id, active, registered_at)
           values ($1, $2, $3, $4, true, $5)`,
          [agentId, name, description, ownerUserId, event.occurredAt],
        );
        return;
      }
      case 'identity.agent-renamed.v1':
        await client.query('update agent set name = $2, description = $3 where id = $1', [
          event.data.agentId,
          event.data.name,
          event.data.description,
        ]);
        return;
      case 'identity.agent-disabled.v1':
        return setActive(client, event.data.agentId, false, event.data.reason);
      case 'identity.agent-enabled.v1':
        return setActive(client, event.data.agentId, true, null);
      default:
    }
  },
};

async function setActive(
  client: SqlClient,
  agentId: string,
  active: boolean,
  because: string | null,
): Promise<void> {
  await client.query('update agent set active = $2, disabled_because = $3 where id = $1', [
    agentId,
    active,
    because,
  ]);
}
