import type { Client } from 'pg';
import type { Cluster } from '../journeys/harness/cluster.ts';
import type { Folding, Tables } from './evidence.ts';

const SERVICES = ['admin', 'identity', 'policy', 'registry'] as const;
/** What the platform keeps beside the read tables: the log itself, and how far somebody has come. */
const OF_THE_PLATFORM = new Set([
  'event',
  'event_head',
  'checkpoint',
  'projection_cursor',
  'schema_migration',
]);

/** The read tables of each service as they are, and after `gatehouse rebuild`. */
export async function foldAnew(cluster: Cluster, database: Client): Promise<readonly Folding[]> {
  const foldings: Folding[] = [];
  for (const service of SERVICES) {
    await cluster.stop(service);
    const kept = await dump(database, service);
    await cluster.rebuild(service);
    foldings.push({ service, kept, folded: await dump(database, service) });
    await cluster.start(service);
  }
  for (const service of SERVICES) await cluster.ready(service);
  return foldings;
}

async function dump(database: Client, schema: string): Promise<Tables> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = $1 and table_type = 'BASE TABLE'`,
    [schema],
  );
  const dumped: Record<string, readonly string[]> = {};
  for (const { name } of tables.filter((table) => !OF_THE_PLATFORM.has(table.name))) {
    const { rows } = await database.query<{ row: string }>(
      `select to_jsonb(t)::text as row from "${schema}"."${name}" t`,
    );
    dumped[name] = rows.map(({ row }) => row).toSorted();
  }
  return dumped;
}
