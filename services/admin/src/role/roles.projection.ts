import type { Actor, RecordedEvent, RoleDefinition, ToolGrant } from '@gatehouse/event-catalog';
import type { Projection, SqlClient } from '@gatehouse/platform';
import type { RoleConnector, ToolRule } from '../schema/schema.generated.ts';

/** The roles that gateways decide by: those of the newest bundle, whatever was written in between. */
export const rolesProjection: Projection = {
  name: 'roles',
  tables: ['role'],
  async apply(client, event) {
    if (event.type !== 'policy.bundle-published.v1') return;
    await client.query('delete from role where name <> all ($1)', [
      event.data.roles.map((role) => role.name),
    ]);
    for (const role of event.data.roles) await write(client, role, event);
  },
};

// A role that a bundle merely repeats keeps the date and the author it has.
async function write(
  client: SqlClient,
  role: RoleDefinition,
  { occurredAt, actor }: RecordedEvent<'policy.bundle-published.v1'>,
): Promise<void> {
  await client.query(
    `insert into role (name, description, management, connectors, defined_at, defined_by)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (name) do update set description = excluded.description, management = excluded.management,
       connectors = excluded.connectors, defined_at = excluded.defined_at, defined_by = excluded.defined_by
     where (role.description, role.management, role.connectors)
       is distinct from (excluded.description, excluded.management, excluded.connectors)`,
    [
      role.name,
      role.description,
      role.management,
      JSON.stringify(role.connectors.map(toConnector)),
      occurredAt,
      actor satisfies Actor,
    ],
  );
}

function toConnector({ slug, tools }: RoleDefinition['connectors'][number]): RoleConnector {
  return { slug, tools: Object.entries(tools).map(([tool, grant]) => toRule(tool, grant)) };
}

function toRule(tool: string, grant: ToolGrant): ToolRule {
  return typeof grant === 'string' ? { tool, mode: grant, deny: false } : { tool, ...grant };
}
