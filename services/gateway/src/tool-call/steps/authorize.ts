import type { Gate } from '../../gate.ts';
import type { ToolCall } from '../tool-call.ts';
import { unknownTool } from './resolve-tool.ts';

/** Asks the same decision that listing asks: what is not granted does not exist. */
export function authorize(call: ToolCall, { state }: Gate): void {
  const { exchange, resolved } = call;
  if (resolved === null || exchange.tool === null) throw unknownTool(call, 'no tool was resolved');
  const decision = state.decide(call.caller.principal, resolved);
  exchange.tool = { ...exchange.tool, decision };
  if (!decision.allow) throw unknownTool(call, decision.reason.text);
}
