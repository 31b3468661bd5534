import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type {
  AssigneeInput,
  QueryRoleAssignmentsArgs,
  RoleAssignment,
} from '../schema/schema.generated.ts';

// What was assigned to a group that is gone reaches nobody: it is no assignment any more.
const SELECT_ASSIGNMENT = `
  select ra.role, ra.assigned_at as "assignedAt", ra.assigned_by as "assignedBy",
    exists (select 1 from role r where r.name = ra.role) as "roleExists",
    json_build_object('kind', ra.assignee_kind, 'id', ra.assignee_id,
      'name', coalesce(u.user_name, g.display_name, a.name)) as assignee
  from role_assignment ra
  left join app_user u on ra.assignee_kind = 'user' and u.id = ra.assignee_id
  left join user_group g on ra.assignee_kind = 'group' and g.id = ra.assignee_id
  left join agent a on ra.assignee_kind = 'agent' and a.id = ra.assignee_id
  where (ra.assignee_kind <> 'group' or g.id is not null)`;

/** Pages through who holds which role: by role, then by holder. */
export async function findRoleAssignments(
  model: ReadModel,
  args: QueryRoleAssignmentsArgs,
): Promise<Page<RoleAssignment>> {
  const page = readPageArgs(args, 3, model.maxPageSize);
  const { role, assignee } = args.filter ?? {};
  const { rows } = await model.database.pool.query<RoleAssignment>(
    `${SELECT_ASSIGNMENT}
       and ($1::text is null or ra.role = $1)
       and ($2::text is null or (ra.assignee_kind = $2 and ra.assignee_id = $3))
       and ($4::text is null or (ra.role, ra.assignee_kind, ra.assignee_id) > ($4, $5, $6))
     order by ra.role, ra.assignee_kind, ra.assignee_id limit $7`,
    [role, assignee?.kind, assignee?.id, ...(page.after ?? [null, null, null]), page.limit],
  );
  return toPage(rows, page, (row) => [row.role, row.assignee.kind, row.assignee.id]);
}

/** One assignment. */
export async function findRoleAssignment(
  model: ReadModel,
  role: string,
  assignee: AssigneeInput,
): Promise<RoleAssignment | null> {
  const { rows } = await model.database.pool.query<RoleAssignment>(
    `${SELECT_ASSIGNMENT} and ra.role = $1 and ra.assignee_kind = $2 and ra.assignee_id = $3`,
    [role, assignee.kind, assignee.id],
  );
  return rows[0] ?? null;
}

/** What the holder of a role is called; null where it is not known here. */
export async function findAssigneeName(
  model: ReadModel,
  { kind, id }: AssigneeInput,
): Promise<string | null> {
  const { rows } = await model.database.pool.query<{ name: string }>(
    `select user_name as name from app_user where $1 = 'user' and id = $2
     union all select display_name from user_group where $1 = 'group' and id = $2
     union all select name from agent where $1 = 'agent' and id = $2`,
    [kind, id],
  );
  return rows[0]?.name ?? null;
}
