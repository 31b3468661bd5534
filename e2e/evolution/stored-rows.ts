// A database as rows of text: what `capture.ts` writes once for a release, and what tests put back exactly as it was.
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';

// What tells of processes that ran then, and of none that will run on the rows put back.
const OF_PROCESSES = ['bus.group_member'];

interface Table {
  readonly name: string;
  /** Columns of bytes, which hold UTF-8: written as the text that they are. */
  readonly bytes: readonly string[];
  readonly columns: readonly string[];
  readonly order: string;
}

/** Writes every row of these schemas to `<folder>/<schema>.jsonl`, one `{"table", "row"}` a line, as PostgreSQL itself prints it. */
export async function storeRows(
  url: string,
  schemas: readonly string[],
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await withClient(url, async (client) => {
    for (const schema of schemas) {
      const lines: string[] = [];
      for (const table of await tablesOf(client, schema)) {
        const { rows } = await client.query<{ row: string }>(selectOf(schema, table));
        lines.push(
          ...rows.map(({ row }) => `{"table":${JSON.stringify(table.name)},"row":${row}}`),
        );
      }
      await writeFile(join(folder, `${schema}.jsonl`), lines.map((line) => `${line}\n`).join(''));
    }
  });
}

/** Puts the rows of a folder into a database that has their tables; what a migration inserted there goes first. */
export async function restoreRows(url: string, folder: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const file of (await readdir(folder)).toSorted()) {
      const lines = (await readFile(join(folder, file), 'utf8')).split('\n').filter(Boolean);
      await restoreSchema(client, basename(file, '.jsonl'), lines);
    }
  });
}

async function restoreSchema(
  client: pg.Client,
  schema: string,
  lines: readonly string[],
): Promise<void> {
  await client.query('begin');
  // Rows refer to each other within a schema, and logs refuse to be emptied: neither has a say while they are put back.
  await client.query('set local session_replication_role = replica');
  for (const table of await tablesOf(client, schema)) {
    const own = lines.filter((line) => line.startsWith(`{"table":${JSON.stringify(table.name)},`));
    const target = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table.name)}`;
    if ((await client.query(`select from ${target} limit 1`)).rowCount !== 0)
      await client.query(`delete from ${target}`);
    const values = table.columns.map((column) =>
      table.bytes.includes(column)
        ? `convert_to(line->'row'->>${pg.escapeLiteral(column)}, 'UTF8')`
        : `r.${pg.escapeIdentifier(column)}`,
    );
    const others = `(select json_object_agg(key, value) from json_each(line->'row')
      where key <> all ($2))`;
    await client.query(
      `insert into ${target} (${table.columns.map((name) => pg.escapeIdentifier(name)).join(', ')})
       select ${values.join(', ')} from unnest($1::json[]) with ordinality as l (line, n),
         json_populate_record(null::${target}, ${others}) as r order by n`,
      [own, table.bytes],
    );
  }
  await client.query('commit');
}

function selectOf(schema: string, { name, columns, bytes, order }: Table): string {
  const values = columns.map((column) => {
    const quoted = pg.escapeIdentifier(column);
    return bytes.includes(column) ? `convert_from(${quoted}, 'UTF8') as ${quoted}` : quoted;
  });
  const source = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  return `select row_to_json(t)::text as row from (select ${values.join(', ')} from ${source} order by ${order}) t`;
}

/** The tables of a schema by name; a partition's rows are its parent's. */
async function tablesOf(client: pg.Client, schema: string): Promise<readonly Table[]> {
  const { rows } = await client.query<Table>(
    `select c.relname as name,
       (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       coalesce((select array_agg(a.attname::text) from pg_attribute a
          where a.attrelid = c.oid and a.atttypid = 'bytea'::regtype), '{}') as bytes,
       (select string_agg(quote_ident(a.attname), ', ' order by k.n) from pg_index i,
          unnest(i.indkey::int2[]) with ordinality as k (attnum, n), pg_attribute a
          where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum) as "order"
     from pg_class c join pg_namespace s on s.oid = c.relnamespace
     where s.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition order by c.relname`,
    [schema],
  );
  return rows.filter(({ name }) => !OF_PROCESSES.includes(`${schema}.${name}`));
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
