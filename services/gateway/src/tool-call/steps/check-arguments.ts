import type { ToolCall } from '../tool-call.ts';

/** Checks the arguments against the approved schema; after authorisation, since its complaints describe the tool. */
export function checkArguments(call: ToolCall): void {
  call.resolved?.checkArguments(call.arguments ?? {});
}
