import {
  topics,
  type ApprovedTool,
  type CatalogueState,
  type Transport,
} from '@gatehouse/event-catalog';
import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { ServiceDatabase, StateFeed } from '@gatehouse/platform';

/** What gates serve by: every server that was approved, as it was approved. What is fetched or classified later touches it only by the next approval. */
export function catalogueFeed(database: Pick<ServiceDatabase, 'pool'>): StateFeed {
  return { topic: topics.catalogueState, touchedBy, load: (slug) => load(database, slug) };
}

function touchedBy(event: RecordedEvent): readonly string[] {
  switch (event.type) {
    case 'registry.server-approved.v1':
    case 'registry.server-suspended.v1':
    case 'registry.server-resumed.v1':
    case 'registry.server-rejected.v1':
      return [event.data.slug];
    default:
      return [];
  }
}

async function load(
  { pool }: Pick<ServiceDatabase, 'pool'>,
  slug: string,
): Promise<CatalogueState | null> {
  const { rows } = await pool.query<{
    name: string;
    status: string;
    transport: Transport;
    tools: ApprovedTool[];
  }>(
    `select name, status, transport, approved_tools as tools from servers
     where slug = $1 and status in ('approved', 'suspended')`,
    [slug],
  );
  const [server] = rows;
  if (server === undefined) return null;
  const { name, status, transport, tools } = server;
  return { slug, name, inService: status === 'approved', transport, tools };
}
