import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { Group, QueryGroupsArgs } from '../schema/schema.generated.ts';

/** A group but for what a loader adds. */
export type GroupRow = Omit<Group, 'members'>;

const SELECT_GROUP = `
  select g.id, g.display_name as "displayName", g.created_at as "createdAt",
    array(select role from role_assignment where assignee_kind = 'group' and assignee_id = g.id order by role) as roles,
    (select count(*)::integer from group_member m join app_user u on u.id = m.user_id where m.group_id = g.id)
      as "memberCount"
  from user_group g`;

/** Pages through the groups, by name. */
export async function findGroups(model: ReadModel, args: QueryGroupsArgs): Promise<Page<GroupRow>> {
  const page = readPageArgs(args, 2, model.maxPageSize);
  const { rows } = await model.database.pool.query<GroupRow>(
    `${SELECT_GROUP}
     where ($1::text is null or (lower(g.display_name), g.id) > (lower($1), $2))
     order by lower(g.display_name), g.id limit $3`,
    [page.after?.[0], page.after?.[1], page.limit],
  );
  return toPage(rows, page, (group) => [group.displayName, group.id]);
}

/** One group. */
export async function findGroup(model: ReadModel, id: string): Promise<GroupRow | null> {
  const { rows } = await model.database.pool.query<GroupRow>(`${SELECT_GROUP} where g.id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}
