import { groupRows } from '../paging/group-rows.ts';
import type { ReadModel } from '../read-model.ts';
import type { Tool } from '../schema/schema.generated.ts';

/** How a tool as last offered relates to the approved copy, in SQL; `t` is the tool. */
export const TOOL_APPROVAL = `case
    when t.digests is null then 'removed'
    when t.approved_digests is null then 'pending'
    when t.digests = t.approved_digests and t.approved_class = coalesce(t.classified_as, t.proposed_class)
      then 'approved'
    else 'changed'
  end`;

const SELECT_TOOL = `
  select t.server_slug as "serverSlug", t.name, coalesce(t.definition, t.approved_definition) ->> 'description'
      as description,
    ${TOOL_APPROVAL} as approval, coalesce(t.approved_class, t.classified_as, t.proposed_class) as class,
    t.classified_as as "classifiedAs", t.proposed_class as "proposedClass", t.proposed_because as "proposedBecause",
    t.digests, t.definition, t.approved_class as "approvedClass", t.approved_digests as "approvedDigests",
    t.approved_definition as "approvedDefinition"
  from tool t`;

/** The tools of each of the servers, by name, in one statement. */
export async function findToolsOf(
  model: ReadModel,
  slugs: readonly string[],
): Promise<ReadonlyMap<string, readonly Tool[]>> {
  const { rows } = await model.database.pool.query<Tool>(
    `${SELECT_TOOL} where t.server_slug = any ($1) order by t.server_slug, t.name`,
    [slugs],
  );
  return groupRows(rows, (tool) => tool.serverSlug);
}

/** One tool. */
export async function findTool(model: ReadModel, slug: string, name: string): Promise<Tool | null> {
  const { rows } = await model.database.pool.query<Tool>(
    `${SELECT_TOOL} where t.server_slug = $1 and t.name = $2`,
    [slug, name],
  );
  return rows[0] ?? null;
}
