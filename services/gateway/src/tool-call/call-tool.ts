import type { JsonObject, RpcRequest } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { resultAnswer, type Answer, type Ending } from '../entrance/answer.ts';
import type { Caller, Exchange } from '../entrance/exchange.ts';
import type { Gate } from '../gate.ts';
import type { Session } from '../session/session.ts';
import { governCall } from './pipeline.ts';
import { factsOf } from './steps/resolve-tool.ts';
import { ToolCall } from './tool-call.ts';

/** Answers `tools/call`. */
export async function callTool(
  exchange: Exchange,
  request: RpcRequest,
  { session, caller }: { readonly session: Session; readonly caller: Caller },
  gate: Gate,
): Promise<Answer> {
  exchange.tool = factsOf(request, exchange.endpoint);
  if (session.calls.has(request.id)) {
    throw new Refusal('message-malformed', {
      detail: 'A request with this id is still under way.',
    });
  }
  const call = new ToolCall({ exchange, caller, session, request, ...read(request.params) });
  session.calls.set(request.id, call);
  try {
    await governCall(call, gate);
  } finally {
    session.calls.delete(request.id);
  }
  return answerOf(call);
}

function read(params: JsonObject | undefined): Pick<ToolCall, 'name' | 'arguments' | 'meta'> {
  const { name, arguments: given, _meta: meta } = params ?? {};
  if (typeof name !== 'string' || name === '') throw invalid('`name` must be a text');
  if (given !== undefined && !isObject(given)) throw invalid('`arguments` must be an object');
  if (meta !== undefined && !isObject(meta)) throw invalid('`_meta` must be an object');
  return { name, arguments: given, meta };
}

function answerOf({ answer, request, exchange }: ToolCall): Answer {
  const reason = exchange.tool?.decision?.reason;
  if (answer === null || reason === undefined) throw new Error('a call passed without an answer');
  const ending: Ending = {
    decision: 'allow',
    reason: { code: reason.code, text: reason.text },
    outcome: 'ok',
    rpcCode: null,
  };
  if (answer.kind === 'error') {
    return {
      kind: 'json',
      status: 200,
      body: JSON.stringify({ jsonrpc: '2.0', id: request.id, error: answer.error }),
      ending: { ...ending, outcome: 'upstream-error', rpcCode: answer.error.code },
    };
  }
  const { content, isError } = answer.result;
  if (content !== undefined && !Array.isArray(content)) {
    throw new Refusal('upstream-garbled', { internal: 'the `content` of the result is no array' });
  }
  const outcome = isError === true ? 'tool-error' : 'ok';
  return resultAnswer(request.id, JSON.stringify(answer.result), { ...ending, outcome });
}

function invalid(detail: string): Refusal {
  return new Refusal('request-invalid', { detail: `tools/call: ${detail}.` });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
