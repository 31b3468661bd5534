import type { Transport } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { findUnstorable } from '../catalogue/find-unstorable.ts';

// An approval carries the transport beside the tools, and must fit one message of the bus.
const LARGEST_TRANSPORT_BYTES = 64 * 1024;

/** Refuses, with `request-invalid`, what the contract's shape lets through but could never be recorded or reached. */
export function requireSoundSubmission(submission: { readonly transport: Transport }): void {
  const { transport } = submission;
  const flaw = findUnstorable(submission);
  if (flaw !== undefined) throw invalid(`The submission has ${flaw}.`);
  if (Buffer.byteLength(JSON.stringify(transport)) > LARGEST_TRANSPORT_BYTES)
    throw invalid(`The transport is larger than ${LARGEST_TRANSPORT_BYTES} bytes.`);
  if (transport.kind === 'stdio') return;
  const { username, password } = new URL(transport.url);
  if (username !== '' || password !== '')
    throw invalid('The URL must not hold credentials: they would be shown to every reviewer.');
}

function invalid(detail: string): Refusal {
  return new Refusal('request-invalid', { detail });
}
