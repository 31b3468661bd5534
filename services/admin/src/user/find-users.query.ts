import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { QueryUsersArgs, User } from '../schema/schema.generated.ts';

/** A person but for what a loader adds. */
export type UserRow = Omit<User, 'keys'>;

export const SELECT_USER = `
  select u.id, u.user_name as "userName", u.display_name as "displayName", u.email, u.active,
    u.deactivated_because as "deactivatedBecause", u.provisioned_at as "provisionedAt",
    array(select role from role_assignment where assignee_kind = 'user' and assignee_id = u.id order by role) as roles,
    (select coalesce(json_agg(json_build_object('id', g.id, 'displayName', g.display_name)
        order by lower(g.display_name), g.id), '[]')
      from group_member m join user_group g on g.id = m.group_id where m.user_id = u.id) as groups
  from app_user u`;

/** Pages through the people, by user name. */
export async function findUsers(model: ReadModel, args: QueryUsersArgs): Promise<Page<UserRow>> {
  const page = readPageArgs(args, 2, model.maxPageSize);
  const { active, userNamePrefix, groupId } = args.filter ?? {};
  const { rows } = await model.database.pool.query<UserRow>(
    `${SELECT_USER}
     where ($1::boolean is null or u.active = $1)
       and ($2::text is null or starts_with(lower(u.user_name), lower($2)))
       and ($3::text is null or exists (select 1 from group_member m where m.group_id = $3 and m.user_id = u.id))
       and ($4::text is null or (lower(u.user_name), u.id) > (lower($4), $5))
     order by lower(u.user_name), u.id limit $6`,
    [active, userNamePrefix, groupId, page.after?.[0], page.after?.[1], page.limit],
  );
  return toPage(rows, page, (user) => [user.userName, user.id]);
}

/** One person. */
export async function findUser(model: ReadModel, id: string): Promise<UserRow | null> {
  const { rows } = await model.database.pool.query<UserRow>(`${SELECT_USER} where u.id = $1`, [id]);
  return rows[0] ?? null;
}
