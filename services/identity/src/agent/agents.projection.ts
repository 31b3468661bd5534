import type { InlineProjection } from '@gatehouse/platform';
import { nameKey } from '../directory/name-key.ts';

/** Every agent, with names unique whatever their letter case. */
export const agentsProjection: InlineProjection = {
  name: 'agents',
  tables: ['agents'],
  refusals: { agents_name_key: 'agent-name-taken' },
  async apply(client, { type, data }) {
    switch (type) {
      case 'identity.agent-registered.v1':
        await client.query(
          `insert into agents (agent_id, name, name_key, description, owner_user_id, active)
           values ($1, $2, $3, $4, $5, true)`,
          [data.agentId, data.name, nameKey(data.name), data.description, data.ownerUserId],
        );
        return;
      case 'identity.agent-renamed.v1':
        await client.query(
          'update agents set name = $2, name_key = $3, description = $4 where agent_id = $1',
          [data.agentId, data.name, nameKey(data.name), data.description],
        );
        return;
      case 'identity.agent-disabled.v1':
        await client.query('update agents set active = false where agent_id = $1', [data.agentId]);
        return;
      case 'identity.agent-enabled.v1':
        await client.query('update agents set active = true where agent_id = $1', [data.agentId]);
        return;
      default:
    }
  },
};
