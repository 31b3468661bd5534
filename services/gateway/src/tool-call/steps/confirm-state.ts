import { Refusal } from '@gatehouse/problem-catalog';
import type { Gate } from '../../gate.ts';
import type { ToolCall } from '../tool-call.ts';

/** Disk and server may take their time, and the gate lose touch meanwhile: it cannot know then whether the caller may still call, or have the answer. */
export function confirmState(_call: ToolCall, { state }: Gate): void {
  const doubt = state.doubt();
  if (doubt?.code === 'state-stale') throw new Refusal(doubt.code, { internal: doubt.why });
}
