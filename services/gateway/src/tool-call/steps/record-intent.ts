import { intentOf } from '../../entrance/record-draft.ts';
import type { Gate } from '../../gate.ts';
import type { ToolCall } from '../tool-call.ts';

/** Leaves a trace before anything can be changed, which a crash cannot take back. A read needs none but its outcome. */
export function recordIntent(call: ToolCall, gate: Gate): void | Promise<void> {
  if (call.resolved?.class === 'read') return undefined;
  return gate.evidence.record(intentOf(call.exchange, gate.state.bundleNumber));
}
