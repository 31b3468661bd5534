import type { ApprovedTool, EventOf, RecordedEvent, Transport } from '@gatehouse/event-catalog';
import { reviewDigest, transportDigest } from '@gatehouse/mcp-protocol';
import type { InlineProjection, SqlClient } from '@gatehouse/platform';
import { classify, pin, review, type ReviewedTool } from '../intake/review.ts';

/** One row a slug: what waits for review and what was approved, apart. */
export const serversProjection: InlineProjection = {
  name: 'servers',
  tables: ['servers'],
  async apply(client, event) {
    switch (event.type) {
      case 'registry.server-submitted.v1':
        return submit(client, event.data);
      case 'registry.catalogue-fetched.v1':
        return keepFetched(client, event);
      case 'registry.catalogue-fetch-failed.v1':
        await client.query(
          'update servers set fetch_failure = $2, fetch_failed_at = $3 where slug = $1',
          [event.data.slug, event.data.reason, event.occurredAt],
        );
        return;
      case 'registry.tool-classified.v1': {
        const { slug, tool, class: decided } = event.data;
        return setPending(client, slug, classify(await pendingOf(client, slug), tool, decided));
      }
      case 'registry.server-approved.v1':
        return approve(client, event);
      case 'registry.server-rejected.v1':
        await client.query(
          `update servers set status = 'rejected', reason = $2,
             approved_tools = null, approved_digest = null, approved_at = null where slug = $1`,
          [event.data.slug, event.data.reason],
        );
        return;
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
  { slug, name, description, transport }: EventOf<'registry.server-submitted.v1'>['data'],
): Promise<void> {
  // A rejected slug starts from nothing.
  await client.query('delete from servers where slug = $1', [slug]);
  await client.query(
    `insert into servers (slug, name, description, transport, status) values ($1, $2, $3, $4, 'submitted')`,
    [slug, name, description, JSON.stringify(transport)],
  );
}

async function keepFetched(
  client: SqlClient,
  { data, occurredAt }: RecordedEvent<'registry.catalogue-fetched.v1'>,
): Promise<void> {
  const { slug, serverInfo, tools } = data;
  await setPending(client, slug, review(await pendingOf(client, slug), tools));
  await client.query(
    `update servers set server_info = $2, fetched_at = $3, fetch_failure = null, fetch_failed_at = null,
       status = case status when 'submitted' then 'fetched' else status end where slug = $1`,
    [slug, JSON.stringify(serverInfo), occurredAt],
  );
}

async function approve(
  client: SqlClient,
  { data, occurredAt }: RecordedEvent<'registry.server-approved.v1'>,
): Promise<void> {
  const { slug, name, transport, tools } = data;
  await client.query(
    `update servers set status = 'approved', name = $2, transport = $3, approved_tools = $4,
       approved_digest = $5, approved_at = $6, reason = null where slug = $1`,
    [
      slug,
      name,
      JSON.stringify(transport),
      JSON.stringify(tools),
      digestOf(slug, { name, transport }, tools),
      occurredAt,
    ],
  );
}

async function pendingOf(client: SqlClient, slug: string): Promise<readonly ReviewedTool[]> {
  const { rows } = await client.query<{ pending_tools: ReviewedTool[] | null }>(
    'select pending_tools from servers where slug = $1',
    [slug],
  );
  return rows[0]?.pending_tools ?? [];
}

async function setPending(
  client: SqlClient,
  slug: string,
  tools: readonly ReviewedTool[],
): Promise<void> {
  const { rows } = await client.query<Submission>(
    'select name, transport from servers where slug = $1',
    [slug],
  );
  if (rows[0] === undefined) return;
  await client.query('update servers set pending_tools = $2, pending_digest = $3 where slug = $1', [
    slug,
    JSON.stringify(tools),
    digestOf(slug, rows[0], pin(tools)),
  ]);
}

interface Submission {
  readonly name: string;
  readonly transport: Transport;
}

function digestOf(
  slug: string,
  { name, transport }: Submission,
  tools: readonly ApprovedTool[],
): string {
  return reviewDigest({ slug, name, transportDigest: transportDigest(transport), tools });
}

async function setStatus(
  client: SqlClient,
  slug: string,
  status: 'approved' | 'suspended',
  reason: string | null,
): Promise<void> {
  await client.query('update servers set status = $2, reason = $3 where slug = $1', [
    slug,
    status,
    reason,
  ]);
}
