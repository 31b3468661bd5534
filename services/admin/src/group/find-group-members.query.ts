import { groupRows } from '../paging/group-rows.ts';
import { checkPageSize } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import { SELECT_USER, type UserRow } from '../user/find-users.query.ts';

/** The first members of each of the groups, by user name, in one statement. */
export async function findGroupMembers(
  model: ReadModel,
  groupIds: readonly string[],
  first: number,
): Promise<ReadonlyMap<string, readonly UserRow[]>> {
  checkPageSize(first, model.maxPageSize);
  const { rows } = await model.database.pool.query<{ groupId: string; user: UserRow }>(
    `select g.id as "groupId", to_json(member) as user
     from unnest($1::text[]) as g(id)
     cross join lateral (${SELECT_USER} join group_member gm on gm.user_id = u.id and gm.group_id = g.id
       order by lower(u.user_name), u.id limit $2) as member`,
    // Two aliases ask for the same group twice.
    [[...new Set(groupIds)], first],
  );
  return new Map(
    [...groupRows(rows, ({ groupId }) => groupId)].map(([id, members]) => [
      id,
      members.map(({ user }) => user),
    ]),
  );
}
