import { statfs } from 'node:fs/promises';
import { counter, gauge, histogram, Sampled } from '@gatehouse/platform';
import type { Spool } from './spool.ts';

const service = 'gateway';
const recordsWritten = counter({
  name: 'gatehouse_gateway_spool_records_total',
  help: 'Audit records that became durable on the disk of the gate.',
  service,
});
const syncDuration = histogram({
  name: 'gatehouse_gateway_spool_sync_duration_seconds',
  help: 'How long the disk took to make a group of audit records durable (fdatasync); answers wait for it.',
  service,
});
const refusing = gauge({
  name: 'gatehouse_gateway_spool_refusing',
  help: '1 while the last audit record could not be written, or too many wait for the bus: requests are refused.',
  service,
});
const backlogBytes = gauge({
  name: 'gatehouse_gateway_spool_backlog_bytes',
  help: 'Evidence on disk that is not on the bus yet, by whole segments.',
  service,
});
const backlogRecords = gauge({
  name: 'gatehouse_gateway_spool_backlog_records',
  help: 'Audit records on disk that are not on the bus yet.',
  service,
});
const freeBytes = gauge({
  name: 'gatehouse_gateway_spool_free_bytes',
  help: 'What is left on the volume of the spool.',
  service,
});

/** Counts a group of records that became durable together. */
export function countSynced(records: number, syncMs: number): void {
  recordsWritten.inc({}, records);
  syncDuration.observe({}, syncMs / 1000);
}

/** Shows how the spool in a folder does. */
export function showSpool(directory: string, spool: Pick<Spool, 'health' | 'inDoubt'>): () => void {
  const free = new Sampled(async () => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  });
  const stops = [
    // Between two attempts it looks healthy; only the next success tells.
    refusing.read(() => [[{}, spool.inDoubt || !spool.health().healthy ? 1 : 0]]),
    backlogBytes.read(() => [[{}, spool.health().backlogBytes]]),
    backlogRecords.read(() => {
      const { lastSequence, relayedSequence } = spool.health();
      return [[{}, lastSequence - relayedSequence]];
    }),
    freeBytes.read(async () => {
      const left = await free.get();
      return left === undefined ? undefined : [[{}, left]];
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
