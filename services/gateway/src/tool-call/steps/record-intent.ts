import { intentOf } from '../../entrance/record-draft.ts';
import type { Gate } from '../../gate.ts';
import type { ToolCall } from '../tool-call.ts';

/** Leaves a trace before anything can be changed, which a crash cannot take back. A read needs one only if its outcome may not be recordable. */
export function recordIntent(call: ToolCall, gate: Gate): void | Promise<void> {
  if (call.resolved?.class === 'read' && !gate.evidence.inDoubt) return undefined;
  return intentRecorded(call, gate);
}

/** Resolves once the intent of a call is durable; it is recorded at most once. */
export function intentRecorded(call: ToolCall, gate: Gate): Promise<void> {
  return (call.intent ??= gate.evidence.record(intentOf(call.exchange, gate.state.bundleNumber)));
}
