import type { SqlClient } from '@gatehouse/platform';

/** The role that administers the gate; policy keeps it from being deleted or stripped. */
export const ADMIN_ROLE = 'admin';

/** Whether somebody who may call holds the role `admin`: a person, an agent, or a group with such a person in it. */
export async function someoneAdministers(client: SqlClient): Promise<boolean> {
  const { rows } = await client.query<{ answer: boolean }>(
    `with holder as (select assignee_kind as kind, assignee_id as id from role_assignments where role = $1)
     select exists (select from holder join users on kind = 'user' and user_id = id where active)
         or exists (select from holder join agents on kind = 'agent' and agent_id = id
                    left join users as owner on owner.user_id = owner_user_id
                    where agents.active and coalesce(owner.active, true))
         or exists (select from holder join group_members on kind = 'group' and group_id = id
                    join users using (user_id) where active) as answer`,
    [ADMIN_ROLE],
  );
  return rows[0]?.answer === true;
}
