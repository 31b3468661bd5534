import { counter, gauge, histogram, Sampled, type ServiceDatabase } from '@gatehouse/platform';
import type { Assignment } from './assign-indexes.ts';

const service = 'audit';
const stored = counter({
  name: 'gatehouse_audit_records_stored_total',
  help: 'Audit records that this process put into the trail.',
  service,
});
const duplicates = counter({
  name: 'gatehouse_audit_duplicates_dropped_total',
  help: 'Audit records that came again and were dropped, as they are in the trail already.',
  service,
});
const gaps = counter({
  name: 'gatehouse_audit_gaps_total',
  help: 'ALARM when it grows: places where numbers of a gate are missing. Each is written down in the table `gap`.',
  service,
});
const missing = counter({
  name: 'gatehouse_audit_missing_records_total',
  help: 'The numbers that are missing in these gaps.',
  service,
});
const delay = histogram({
  name: 'gatehouse_audit_record_delay_seconds',
  help: 'From the time of the gate on a record to its place in the trail; the newest record of each batch.',
  service,
});
const lastIndex = gauge({
  name: 'gatehouse_audit_last_index',
  help: 'The index of the newest record in the trail, whoever put it there; -1 while it is empty.',
  service,
});

/** Counts what a batch changed in the trail. */
export function countStored(came: number, { records, gaps: found }: Assignment): void {
  stored.inc({}, records.length);
  duplicates.inc({}, came - records.length);
  gaps.inc({}, found.length);
  for (const { firstMissing, lastMissing } of found)
    missing.inc({}, lastMissing - firstMissing + 1);
  const newest = records.at(-1);
  if (newest === undefined) return;
  delay.observe({}, Math.max(0, Date.now() - Date.parse(newest.record.at)) / 1000);
}

/** Shows how long the trail is. */
export function showTrail({ pool }: ServiceDatabase): () => void {
  const size = new Sampled(async () => {
    const { rows } = await pool.query<{ size: number }>('select size from log_state');
    return rows[0]?.size;
  });
  return lastIndex.read(async () => {
    const records = await size.get();
    return records === undefined ? undefined : [[{}, records - 1]];
  });
}
