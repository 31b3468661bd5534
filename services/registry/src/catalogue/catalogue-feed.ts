import {
  parseCatalogueMessage,
  topics,
  type ApprovedTool,
  type CatalogueState,
  type Transport,
} from '@gatehouse/event-catalog';
import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { ServiceDatabase, StateFeed } from '@gatehouse/platform';

/** What gates serve by: every server that was approved, as it was approved. What is fetched or classified later touches it only by the next approval. */
export function catalogueFeed(database: Pick<ServiceDatabase, 'pool'>): StateFeed {
  return {
    topic: topics.catalogueState,
    touchedBy: (events) => events.flatMap(touchedBy),
    load: (slugs) => load(database, slugs),
    check: parseCatalogueMessage,
  };
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
  slugs: readonly string[],
): Promise<ReadonlyMap<string, CatalogueState>> {
  const { rows } = await pool.query<{
    slug: string;
    name: string;
    status: string;
    transport: Transport;
    tools: ApprovedTool[];
  }>(
    `select slug, name, status, transport, approved_tools as tools from servers
     where slug = any($1) and status in ('approved', 'suspended')`,
    [slugs],
  );
  return new Map(
    rows.map(({ slug, name, status, transport, tools }) => [
      slug,
      { slug, name, inService: status === 'approved', transport, tools },
    ]),
  );
}
