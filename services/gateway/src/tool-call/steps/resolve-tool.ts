import type { RpcRequest } from '@gatehouse/mcp-protocol';
import { methods } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Endpoint } from '../../entrance/endpoint.ts';
import type { ToolFacts } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';
import { meaningOf } from '../../state/visible-tools.ts';
import type { ToolCall } from '../tool-call.ts';

const MAX_NAME_LENGTH = 256;

/** Finds the server and the tool that the call names. */
export function resolveTool(call: ToolCall, { state }: Gate): void {
  const meaning = meaningOf(call.name, call.exchange.endpoint);
  const server = meaning === undefined ? undefined : state.servers.get(meaning.slug);
  const tool = meaning === undefined ? undefined : server?.tools.get(meaning.tool);
  if (server === undefined || tool === undefined) throw unknownTool(call, 'there is no such tool');
  call.server = server;
  call.resolved = tool;
  call.exchange.tool = {
    server: tool.server,
    tool: tool.name,
    toolClass: tool.class,
    arguments: call.arguments,
    decision: null,
  };
}

/** The one answer for a tool that is missing, hidden, unapproved or out of service. */
export function unknownTool(call: ToolCall, internal: string): Refusal {
  return new Refusal('tool-unknown', { detail: `Unknown tool: ${call.name}`, internal });
}

/** What a record says of a call whose tool has not been found. */
export function factsOf({ method, params }: RpcRequest, endpoint: Endpoint): ToolFacts | null {
  const name = params?.['name'];
  if (method !== methods.toolsCall || typeof name !== 'string') return null;
  const meaning = meaningOf(name, endpoint);
  return {
    server: meaning?.slug.slice(0, 64) ?? null,
    tool: (meaning?.tool ?? name).slice(0, MAX_NAME_LENGTH),
    toolClass: null,
    arguments: params?.['arguments'],
    decision: null,
  };
}
