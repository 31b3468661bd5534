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
  clientName: 'client_name =',
  clientIp: 'client_ip =',
  sessionRef: 'session_ref =',
  traceId: 'trace_id =',
  minDurationMs: 'duration_ms >=',
  maxDurationMs: 'duration_ms <=',
  from: 'at >=',
  to: 'at <',
} as const satisfies Record<keyof AuditFilter, string>;

/**
 * Pages through the requests that match, newest first by the gate's time. A request is shown once, by its newest
 * record: its outcome, or at once and as `unknown` its intent. All pages of one search see the log as it was at the
 * first.
 */
export async function searchTrail(
  database: ServiceDatabase,
  { filter, first, after }: Search,
): Promise<Page> {
  const { rows: state } = await database.pool.query<{ size: number }>('select size from log_state');
  const current = state[0]?.size ?? 0;
  const cursor = after === null ? undefined : decodeCursor(after, filter, current);
  const size = cursor?.size ?? current;
  const values: unknown[] = [size, first + 1, PAGE_BYTES];
  const { rows } = await database.pool.query<Row>(searchSql(filter, cursor, values), values);
  const page = rows.slice(0, first);
  const last = page.at(-1);
  return {
    rows: page.map(toAuditRow),
    endCursor: last === undefined ? null : encodeCursor({ size, seen: last.index }, filter),
    hasNextPage: (rows[0]?.found ?? 0) > page.length,
  };
}

interface Row {
  readonly index: number;
  readonly body: string;
  /** How many matched, of at most one more than were asked for; not all of them may have been given out. */
  readonly found: number;
}

function searchSql(
  filter: AuditFilter,
  cursor: TrailCursor | undefined,
  values: unknown[],
): string {
  const conditions = Object.entries(CONDITIONS).flatMap(([name, comparison]) => {
    const wanted = filter[name as keyof AuditFilter];
    return wanted === undefined
      ? []
      : [
          `r.${comparison} $${values.push(typeof wanted === 'number' ? wanted : searchable(wanted))}`,
        ];
  });
  if (cursor !== undefined) {
    const seen = `$${values.push(cursor.seen)}::bigint`;
    conditions.push(`(r.at, r.index) < ((select at from record where index = ${seen}), ${seen})`);
  }
  // Nearly every intent was settled: look only at those that were not, then or now.
  if (filter.outcome === 'unknown') {
    conditions.push(`r.index = any(array(select index from unsettled where settled_by is null
      union all select index from unsettled where settled_by >= $1))`);
  }
  return `with page as (
      select r.index, r.at, r.body, octet_length(r.body) as bytes from record r
      where ${['r.index < $1', ...conditions].join(' and ')}
        and not exists (
          select from record later
          where later.request_id = r.request_id and later.source = r.source
            and later.index > r.index and later.index < $1)
      order by r.at desc, r.index desc limit $2),
    sized as (
      select index, at, body, count(*) over () as found,
        sum(bytes) over (order by at desc, index desc) - bytes as bytes_before
      from page)
    select index, body, found from sized where bytes_before < $3 order by at desc, index desc`;
}

function toAuditRow({ index, body }: Row): AuditRow {
  const record = JSON.parse(body) as AuditRecord;
  return { index, record: record.phase === 'intent' ? { ...record, outcome: 'unknown' } : record };
}
