import { Client } from 'pg';

// One line of text each, already in order. What an owner may do with its own goes without saying.
const GRANTS = (acl: string, owner: string): string => `(
  select string_agg(grantee || ' may ' || privileges, E'\\n  ' order by grantee) from (
    select coalesce(r.rolname, 'everybody') as grantee,
           string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as privileges
      from aclexplode(${acl}) a left join pg_roles r on r.oid = a.grantee
      where a.grantee <> ${owner}
      group by r.rolname) granted)`;

const OWNED = (owner: string): string =>
  `(select 'owned by ' || rolname from pg_roles where oid = ${owner} and rolname <> current_user)`;

const TABLES = `
  select c.oid, concat_ws(' ', case c.relpersistence when 'u' then 'unlogged' end,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end,
      c.relname, case when c.relispartition then 'partition of '
        || (select inhparent::regclass::text from pg_inherits where inhrelid = c.oid)
        || ' ' || pg_get_expr(c.relpartbound, c.oid) end,
      case when c.relkind = 'p' then 'by ' || pg_get_partkeydef(c.oid) end,
      case when c.reloptions is not null then 'with (' || array_to_string(c.reloptions, ', ') || ')' end) as title,
    ${OWNED('c.relowner')} as owner, ${GRANTS('c.relacl', 'c.relowner')} as grants
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S') order by c.relname`;

const PARTS: readonly string[] = [
  `select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
      'default ' || pg_get_expr(d.adbin, d.adrelid)) as line
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
  // What is "not null" stands with its column.
  `select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) as line
     from pg_constraint where conrelid = $1 and contype <> 'n' order by conname`,
  `select replace(pg_get_indexdef(i.indexrelid), n.nspname || '.', '') as line
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where i.indrelid = $1 and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = $1)
     order by c.relname`,
  `select replace(pg_get_triggerdef(t.oid), n.nspname || '.', '')
       || case t.tgenabled when 'A' then ' (always)' when 'D' then ' (disabled)' else '' end as line
     from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgrelid = $1 and not t.tgisinternal order by t.tgname`,
];

const FUNCTIONS = `
  select 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') returns '
      || pg_get_function_result(p.oid) || case when p.prosecdef then ' security definer' else '' end as title,
    'body of md5 ' || md5(p.prosrc) as body, ${OWNED('p.proowner')} as owner, ${GRANTS('p.proacl', 'p.proowner')} as grants
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = $1 order by p.proname, pg_get_function_identity_arguments(p.oid)`;

const SCHEMA = `
  select 'schema ' || nspname as title, ${GRANTS('nspacl', 'nspowner')} as grants from pg_namespace where nspname = $1`;

type Row = Readonly<Record<string, string | null>>;

/** A schema as a text that people read and snapshots compare: tables with all that holds them, functions, and who may do what. */
export async function describeSchema(url: string, schema: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const ask = async (sql: string, value: unknown): Promise<readonly Row[]> =>
    (await client.query<Row>(sql, [value])).rows;
  try {
    const blocks: (readonly (string | null | undefined)[])[] = [];
    for (const row of await ask(SCHEMA, schema)) blocks.push([row['title'], row['grants']]);
    for (const row of await ask(TABLES, schema)) {
      const lines: (string | null | undefined)[] = [];
      for (const part of PARTS)
        lines.push(...(await ask(part, row['oid'])).map(({ line }) => line));
      blocks.push([row['title'], ...lines, row['owner'], row['grants']]);
    }
    for (const row of await ask(FUNCTIONS, schema))
      blocks.push([row['title'], row['body'], row['owner'], row['grants']]);
    const text = blocks.map((lines) => lines.filter((line) => line).join('\n  '));
    return `${text.join('\n\n')}\n`;
  } finally {
    await client.end();
  }
}
