import { readPageArgs, toPage, type Page } from '../paging/page.ts';
import type { ReadModel } from '../read-model.ts';
import type { QueryServersArgs, Server } from '../schema/schema.generated.ts';
import { TOOL_APPROVAL } from '../tool/find-tools.query.ts';
import type { ShownTransport } from './shown-transport.ts';

/** A server but for what a loader adds. */
export type ServerRow = Omit<Server, 'tools' | 'transport'> & {
  readonly transport: ShownTransport;
};

const SELECT_SERVER = `
  select s.slug, s.name, s.description, s.status, s.status_reason as "statusReason", s.transport,
    s.server_info as "serverInfo", s.catalogue_digest as "catalogueDigest",
    s.catalogue_fetched_at as "catalogueFetchedAt", s.catalogue_fetch_error as "catalogueFetchError",
    s.submitted_at as "submittedAt", s.submitted_by as "submittedBy",
    s.approved_at as "approvedAt", s.approved_by as "approvedBy",
    (s.status = 'submitted' or (s.status <> 'rejected' and exists (
      select 1 from tool t where t.server_slug = s.slug and ${TOOL_APPROVAL} <> 'approved'))) as "reviewNeeded"
  from server s`;

/** Pages through the servers, by slug. */
export async function findServers(
  model: ReadModel,
  args: QueryServersArgs,
): Promise<Page<ServerRow>> {
  const page = readPageArgs(args, 1, model.maxPageSize);
  const { status, reviewNeeded } = args.filter ?? {};
  const { rows } = await model.database.pool.query<ServerRow>(
    `select * from (${SELECT_SERVER}) as server
     where ($1::text is null or status = $1)
       and ($2::boolean is null or "reviewNeeded" = $2)
       and ($3::text is null or slug > $3)
     order by slug limit $4`,
    [status, reviewNeeded, page.after?.[0], page.limit],
  );
  return toPage(rows, page, (server) => [server.slug]);
}

/** One server. */
export async function findServer(model: ReadModel, slug: string): Promise<ServerRow | null> {
  const { rows } = await model.database.pool.query<ServerRow>(
    `${SELECT_SERVER} where s.slug = $1`,
    [slug],
  );
  return rows[0] ?? null;
}
