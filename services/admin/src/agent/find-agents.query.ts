import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { Agent, QueryAgentsArgs } from '../schema/schema.generated.ts';

/** An agent but for what a loader adds. */
export type AgentRow = Omit<Agent, 'keys'>;

const SELECT_AGENT = `
  select a.id, a.name, a.description, a.active, a.disabled_because as "disabledBecause",
    a.registered_at as "registeredAt",
    array(select role from role_assignment where assignee_kind = 'agent' and assignee_id = a.id order by role) as roles,
    case when a.owner_user_id is not null
      then json_build_object('id', a.owner_user_id, 'userName', o.user_name) end as owner
  from agent a left join app_user o on o.id = a.owner_user_id`;

/** Pages through the agents, by name. */
export async function findAgents(model: ReadModel, args: QueryAgentsArgs): Promise<Page<AgentRow>> {
  const page = readPageArgs(args, 2, model.maxPageSize);
  const { active, ownerUserId } = args.filter ?? {};
  const { rows } = await model.database.pool.query<AgentRow>(
    `${SELECT_AGENT}
     where ($1::boolean is null or a.active = $1)
       and ($2::text is null or a.owner_user_id = $2)
       and ($3::text is null or (lower(a.name), a.id) > (lower($3), $4))
     order by lower(a.name), a.id limit $5`,
    [active, ownerUserId, page.after?.[0], page.after?.[1], page.limit],
  );
  return toPage(rows, page, (agent) => [agent.name, agent.id]);
}

/** One agent. */
export async function findAgent(model: ReadModel, id: string): Promise<AgentRow | null> {
  const { rows } = await model.database.pool.query<AgentRow>(`${SELECT_AGENT} where a.id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}
