import { Refusal } from '@gatehouse/problem-catalog';
import type { Gate } from '../../gate.ts';
import type { ToolCall } from '../tool-call.ts';

/** A server may take its time, and the gate lose touch meanwhile: it cannot know then whether the caller may still have the answer. */
export function confirmState(_call: ToolCall, { state }: Gate): void {
  const doubt = state.doubt();
  if (doubt?.code !== 'state-stale') return;
  throw new Refusal('state-stale', {
    detail: 'The call was made, but the gate lost touch meanwhile and may not hand out its answer.',
    internal: doubt.why,
  });
}
