import type { RecordedEvent, ToolClass, ToolDigests } from '@gatehouse/event-catalog';
import { reviewDigest, transportDigest } from '@gatehouse/mcp-protocol';
import type { Projection, SqlClient } from '@gatehouse/platform';
import { shownTransport } from './shown-transport.ts';

/** The servers that the registry knows, wherever they stand. To be applied after the tools, which the digest for reviewers is over. */
export const serversProjection: Projection = {
  name: 'servers',
  tables: ['server'],
  async apply(client, event) {
    switch (event.type) {
      case 'registry.server-submitted.v1':
        return submit(client, event);
      case 'registry.catalogue-fetched.v1':
        return noteCatalogue(client, event);
      case 'registry.catalogue-fetch-failed.v1':
        await client.query('update server set catalogue_fetch_error = $2 where slug = $1', [
          event.data.slug,
          event.data.reason,
        ]);
        return;
      case 'registry.tool-classified.v1':
        return noteDigest(client, event.data.slug);
      case 'registry.server-approved.v1':
        return approve(client, event);
      case 'registry.server-rejected.v1':
        return setStatus(client, event.data.slug, 'rejected', event.data.reason);
      case 'registry.server-suspended.v1':
        return setStatus(client, event.data.slug, 'suspended', event.data.reason);
      case 'registry.server-resumed.v1':
        return setStatus(client, event.data.slug, 'approved', null);
      default:
    }
  },
};

async function submit(
  client: SqlClient,
  { data, occurredAt, actor }: RecordedEvent<'registry.server-submitted.v1'>,
): Promise<void> {
  await client.query(
    `insert into server (slug, name, description, status, transport, transport_digest, submitted_at, submitted_by)
     values ($1, $2, $3, 'submitted', $4, $5, $6, $7)
     on conflict (slug) do update set name = excluded.name, description = excluded.description, status = 'submitted',
       status_reason = null, transport = excluded.transport, transport_digest = excluded.transport_digest,
       server_info = null, catalogue_digest = null, catalogue_fetched_at = null, catalogue_fetch_error = null, submitted_at = excluded.submitted_at,
       submitted_by = excluded.submitted_by, approved_at = null, approved_by = null`,
    [
      data.slug,
      data.name,
      data.description,
      shownTransport(data.transport),
      transportDigest(data.transport),
      occurredAt,
      actor,
    ],
  );
}

async function noteCatalogue(
  client: SqlClient,
  { data, occurredAt }: RecordedEvent<'registry.catalogue-fetched.v1'>,
): Promise<void> {
  await client.query(
    `update server set server_info = $2, catalogue_fetched_at = $3, catalogue_fetch_error = null where slug = $1`,
    [data.slug, data.serverInfo, occurredAt],
  );
  await noteDigest(client, data.slug);
}

// Of what an approval would put in force now, as the registry will reckon it.
async function noteDigest(client: SqlClient, slug: string): Promise<void> {
  const { rows: servers } = await client.query<{ name: string; transportDigest: string }>(
    `select name, transport_digest as "transportDigest" from server
     where slug = $1 and transport_digest is not null`,
    [slug],
  );
  const { rows: tools } = await client.query<{
    definition: { name: string };
    digests: ToolDigests;
    class: ToolClass;
  }>(
    `select jsonb_build_object('name', name) as definition, digests, coalesce(classified_as, proposed_class) as class
     from tool where server_slug = $1 and digests is not null`,
    [slug],
  );
  const server = servers[0];
  if (server === undefined) return;
  const digest = reviewDigest({ slug, ...server, tools });
  await client.query('update server set catalogue_digest = $2 where slug = $1', [slug, digest]);
}

async function approve(
  client: SqlClient,
  { data, occurredAt, actor }: RecordedEvent<'registry.server-approved.v1'>,
): Promise<void> {
  await client.query(
    `update server set status = 'approved', status_reason = null, name = $2, transport = $3, approved_at = $4,
       approved_by = $5 where slug = $1`,
    [data.slug, data.name, shownTransport(data.transport), occurredAt, actor],
  );
}

async function setStatus(
  client: SqlClient,
  slug: string,
  status: string,
  reason: string | null,
): Promise<void> {
  await client.query('update server set status = $2, status_reason = $3 where slug = $1', [
    slug,
    status,
    reason,
  ]);
}
