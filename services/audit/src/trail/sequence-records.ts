import type { ServiceDatabase, SqlClient } from '@gatehouse/platform';
import { assignIndexes, type Assignment, type IndexedRecord } from './assign-indexes.ts';
import type { IncomingRecord } from './incoming-record.ts';
import { searchable } from './searchable.ts';

/** Up to where a batch consumes its partition of the bus. */
export interface BusPlace {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
}

/**
 * Stores a batch in one transaction that holds the log's one row: whatever writes beside it waits, so that indexes are
 * gapless and in commit order, and a batch that comes again changes nothing.
 */
export async function sequenceRecords(
  database: ServiceDatabase,
  incoming: readonly IncomingRecord[],
  place: BusPlace,
): Promise<Assignment> {
  return database.transaction(async (client) => {
    const size = await lockLog(client);
    const assignment = assignIndexes(size, await readCursors(client, incoming), incoming);
    if (assignment.records.length > 0) {
      await insertRecords(client, assignment.records);
      await settleRequests(client, size);
      await writeGaps(client, assignment);
      await writeCursors(client, assignment.cursors);
      await moveSize(client, size, assignment.size);
    }
    await client.query(
      `insert into bus_cursor (topic, partition, next_offset) values ($1, $2, $3)
       on conflict (topic, partition) do update set next_offset = excluded.next_offset`,
      [place.topic, place.partition, place.nextOffset],
    );
    return assignment;
  });
}

async function lockLog(client: SqlClient): Promise<number> {
  const { rows } = await client.query<{ size: number }>('select size from log_state for update');
  if (rows[0] === undefined) throw new Error('the audit log has lost its state');
  return rows[0].size;
}

async function readCursors(
  client: SqlClient,
  incoming: readonly IncomingRecord[],
): Promise<Map<string, number>> {
  const sources = [...new Set(incoming.map(({ record }) => record.source))];
  const { rows } = await client.query<{ source: string; last_sequence: number }>(
    'select source, last_sequence from source_cursor where source = any($1)',
    [sources],
  );
  return new Map(rows.map((row) => [row.source, row.last_sequence]));
}

async function insertRecords(client: SqlClient, records: readonly IndexedRecord[]): Promise<void> {
  await client.query(
    `insert into record (index, source, sequence, id, request_id, phase, at, method, principal_id, principal_name,
       server, tool, decision, outcome, reason_code, client_ip, session_ref,
       client_name, duration_ms, trace_id, body)
     select * from json_to_recordset($1::json) as r(index bigint, source text, sequence bigint, id text,
       request_id text, phase text, at timestamptz, method text, principal_id text, principal_name text,
       server text, tool text, decision text, outcome text, reason_code text, client_ip text,
       session_ref text, client_name text, duration_ms double precision, trace_id text, body text)
     order by index`,
    [JSON.stringify(records.map(toRow))],
  );
}

/** Notes among the records from `firstIndex` on what leaves a request's end open, and what settles one. */
async function settleRequests(client: SqlClient, firstIndex: number): Promise<void> {
  await client.query(
    `insert into unsettled (index, source, request_id)
     select index, source, request_id from record where index >= $1 and outcome = 'unknown'`,
    [firstIndex],
  );
  await client.query(
    `update unsettled u set settled_by = r.index from record r
     where r.index >= $1 and r.phase = 'outcome' and u.settled_by is null
       and u.request_id = r.request_id and u.source = r.source and u.index < r.index`,
    [firstIndex],
  );
}

function toRow({ index, record, body }: IndexedRecord): Record<string, unknown> {
  return {
    index,
    source: searchable(record.source),
    sequence: record.sequence,
    id: searchable(record.id),
    request_id: searchable(record.requestId),
    phase: record.phase,
    at: record.at,
    method: searchable(record.method),
    principal_id: searchable(record.principal?.id),
    principal_name: searchable(record.principal?.name),
    server: searchable(record.server),
    tool: searchable(record.tool),
    decision: record.decision,
    // What became of an intent is unknown until its outcome comes.
    outcome: record.phase === 'intent' ? 'unknown' : record.outcome,
    reason_code: searchable(record.reason.code),
    client_ip: searchable(record.clientIp),
    session_ref: searchable(record.sessionRef),
    client_name: searchable(record.client?.name),
    duration_ms: record.durationMs,
    trace_id: searchable(record.traceId),
    body,
  };
}

async function writeGaps(client: SqlClient, { gaps }: Assignment): Promise<void> {
  for (const { source, firstMissing, lastMissing, beforeIndex } of gaps) {
    await client.query(
      'insert into gap (source, first_missing, last_missing, before_index) values ($1, $2, $3, $4)',
      [source, firstMissing, lastMissing, beforeIndex],
    );
  }
}

async function writeCursors(
  client: SqlClient,
  cursors: ReadonlyMap<string, number>,
): Promise<void> {
  await client.query(
    `insert into source_cursor (source, last_sequence) select * from unnest($1::text[], $2::bigint[])
     on conflict (source) do update set last_sequence = excluded.last_sequence`,
    [[...cursors.keys()], [...cursors.values()]],
  );
}

async function moveSize(client: SqlClient, from: number, to: number): Promise<void> {
  const { rowCount } = await client.query('update log_state set size = $2 where size = $1', [
    from,
    to,
  ]);
  if (rowCount !== 1)
    throw new Error(`the audit log is no longer at size ${from}: another writer passed its lock`);
}
