import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { Projection, SqlClient } from '@gatehouse/platform';

/** The tools of every server: as last offered, as classified and as approved. */
export const toolsProjection: Projection = {
  name: 'tools',
  tables: ['tool'],
  async apply(client, event) {
    switch (event.type) {
      // A slug that is submitted again after its rejection starts anew.
      case 'registry.server-submitted.v1':
        await client.query('delete from tool where server_slug = $1', [event.data.slug]);
        return;
      case 'registry.catalogue-fetched.v1':
        return offer(client, event);
      case 'registry.tool-classified.v1':
        await client.query(
          'update tool set classified_as = $3 where server_slug = $1 and name = $2',
          [event.data.slug, event.data.tool, event.data.class],
        );
        return;
      case 'registry.server-approved.v1':
        return approve(client, event);
      case 'registry.server-rejected.v1':
        return withdrawApproval(client, event.data.slug);
      default:
    }
  },
};

// A person's decision on a tool holds while the tool does and says the same, and falls with a catalogue without it.
async function offer(
  client: SqlClient,
  { data }: RecordedEvent<'registry.catalogue-fetched.v1'>,
): Promise<void> {
  await client.query(
    `insert into tool (server_slug, name, digests, definition, proposed_class, proposed_because)
     select $1, name, digests, definition, class, because
     from jsonb_to_recordset($2) as t(name text, digests jsonb, definition jsonb, class text, because text)
     on conflict (server_slug, name) do update set digests = excluded.digests, definition = excluded.definition,
       proposed_class = excluded.proposed_class, proposed_because = excluded.proposed_because,
       classified_as = case
         when tool.digests - 'cosmetic' = excluded.digests - 'cosmetic' then tool.classified_as end`,
    [
      data.slug,
      JSON.stringify(
        data.tools.map((tool) => ({
          name: tool.definition.name,
          digests: tool.digests,
          definition: tool.definition,
          class: tool.proposedClass,
          because: tool.proposedBecause,
        })),
      ),
    ],
  );
  await client.query(
    `update tool set digests = null, definition = null, proposed_class = null, proposed_because = null,
       classified_as = null
     where server_slug = $1 and name <> all ($2)`,
    [data.slug, data.tools.map((tool) => tool.definition.name)],
  );
  await forgetGone(client, data.slug);
}

async function approve(
  client: SqlClient,
  { data }: RecordedEvent<'registry.server-approved.v1'>,
): Promise<void> {
  await withdrawApproval(client, data.slug);
  await client.query(
    `insert into tool (server_slug, name, approved_class, approved_digests, approved_definition)
     select $1, name, class, digests, definition
     from jsonb_to_recordset($2) as t(name text, digests jsonb, definition jsonb, class text)
     on conflict (server_slug, name) do update set approved_class = excluded.approved_class,
       approved_digests = excluded.approved_digests, approved_definition = excluded.approved_definition`,
    [
      data.slug,
      JSON.stringify(
        data.tools.map((tool) => ({
          name: tool.definition.name,
          digests: tool.digests,
          definition: tool.definition,
          class: tool.class,
        })),
      ),
    ],
  );
  await forgetGone(client, data.slug);
}

async function withdrawApproval(client: SqlClient, slug: string): Promise<void> {
  await client.query(
    `update tool set approved_class = null, approved_digests = null, approved_definition = null
     where server_slug = $1`,
    [slug],
  );
  await forgetGone(client, slug);
}

// Neither offered nor approved: nothing is left to show.
async function forgetGone(client: SqlClient, slug: string): Promise<void> {
  await client.query(
    'delete from tool where server_slug = $1 and digests is null and approved_digests is null',
    [slug],
  );
}
