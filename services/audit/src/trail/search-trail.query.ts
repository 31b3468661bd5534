import type {
  AuditFilter,
  AuditRecord,
  AuditRow,
  auditQueries,
  RequestOf,
  ResultOf,
} from '@gatehouse/event-catalog';
import type { ServiceDatabase } from '@gatehouse/platform';
import { searchable } from './searchable.ts';
import { decodeCursor, encodeCursor, type TrailCursor } from './trail-cursor.ts';

type Search = RequestOf<typeof auditQueries, 'search'>;
type Page = ResultOf<typeof auditQueries, 'search'>;

// A page ends early rather than fill the memory with sealed arguments.
const PAGE_BYTES = 8 * 1024 * 1024;

const CONDITIONS = {
  principalId: 'principal_id =',
  principalName: 'principal_name =',
  server: 'server =',
  tool: 'tool =',
  method: 'method =',
  decision: 'decision =',
  outcome: 'outcome =',
  reasonCode: 'reason_code =',
  clientIp: 'client_ip =',
  sessionRef: 'session_ref =',
  from: 'at >=',
  to: 'at <',
} as const satisfies Record<keyof AuditFilter, string>;

/**
 * Pages through the requests that match, newest first. A request is shown once, by its newest record: its outcome, or
 * at once and as `unknown` its intent. All pages of one search see the log as it was at the first.
 */
export async function searchTrail(
  database: ServiceDatabase,
  { filter, first, after }: Search,
): Promise<Page> {
  const { rows: state } = await database.pool.query<{ size: number }>('select size from log_state');
  const current = state[0]?.size ?? 0;
  const start =
    after === null ? { size: current, before: current } : decodeCursor(after, filter, current);
  const { rows, found } = await findRows(database, filter, first, start);
  const page = rows.slice(0, first);
  const last = page.at(-1);
  return {
    rows: page.map(toAuditRow),
    endCursor:
      last === undefined ? null : encodeCursor({ size: start.size, before: last.index }, filter),
    hasNextPage: found > page.length,
  };
}

interface Row {
  readonly index: number;
  readonly body: string;
  readonly found: number;
}

async function findRows(
  database: ServiceDatabase,
  filter: AuditFilter,
  first: number,
  { size, before }: TrailCursor,
) {
  const values: unknown[] = [size, before, first + 1, PAGE_BYTES];
  const conditions = Object.entries(CONDITIONS).flatMap(([name, comparison]) => {
    const wanted = filter[name as keyof AuditFilter];
    if (wanted === undefined) return [];
    return [`and r.${comparison} $${values.push(searchable(wanted))}`];
  });
  const { rows } = await database.pool.query<Row>(
    `with page as (
       select r.index, r.body, octet_length(r.body) as bytes from record r
       where r.index < $2 ${conditions.join(' ')}
         and not exists (
           select from record later
           where later.request_id = r.request_id and later.source = r.source
             and later.index > r.index and later.index < $1)
       order by r.index desc limit $3),
     sized as (
       select index, body, sum(bytes) over (order by index desc) - bytes as bytes_before, count(*) over () as found
       from page)
     select index, body, found from sized where bytes_before < $4 order by index desc`,
    values,
  );
  return { rows, found: rows[0]?.found ?? 0 };
}

function toAuditRow({ index, body }: Row): AuditRow {
  const record = JSON.parse(body) as AuditRecord;
  return { index, record: record.phase === 'intent' ? { ...record, outcome: 'unknown' } : record };
}
