import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { QueryRolesArgs, Role } from '../schema/schema.generated.ts';

const SELECT_ROLE = `
  select name, description, management, connectors, defined_at as "definedAt", defined_by as "definedBy" from role`;

/** Pages through the roles of the published bundle, by name. */
export async function findRoles(model: ReadModel, args: QueryRolesArgs): Promise<Page<Role>> {
  const page = readPageArgs(args, 1, model.maxPageSize);
  const { rows } = await model.database.pool.query<Role>(
    `${SELECT_ROLE} where ($1::text is null or name > $1) order by name limit $2`,
    [page.after?.[0], page.limit],
  );
  return toPage(rows, page, (role) => [role.name]);
}

/** One role. */
export async function findRole(model: ReadModel, name: string): Promise<Role | null> {
  const { rows } = await model.database.pool.query<Role>(`${SELECT_ROLE} where name = $1`, [name]);
  return rows[0] ?? null;
}
