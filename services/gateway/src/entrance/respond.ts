import {
  methods,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Gate } from '../gate.ts';
import { openClientStream } from '../session/open-client-stream.ts';
import { openSession } from '../session/open-session.ts';
import { endSession } from '../session/end-session.ts';
import { callTool } from '../tool-call/call-tool.ts';
import { admitted, resultAnswer, type Answer } from './answer.ts';
import type { Caller, Exchange } from './exchange.ts';
import type { Session } from '../session/session.ts';

const ACCEPTED: Answer = { kind: 'status', status: 202, ending: admitted };

/** Answers a request that was let in. */
export function respond(exchange: Exchange, gate: Gate): Answer | Promise<Answer> {
  const { message, caller, session } = exchange;
  if (caller === null) throw new Error('nobody was authenticated');
  if (message?.kind === 'request' && message.method === methods.initialize) {
    return openSession(exchange, message, caller, gate);
  }
  if (session === null) throw new Error('no session was resumed');
  if (message === null) {
    return exchange.method === 'GET'
      ? openClientStream(exchange, session, caller, gate)
      : endOfSession(session, gate);
  }
  return message.kind === 'request'
    ? answerRequest(exchange, message, { session, caller }, gate)
    : accept(message, session);
}

// Of what needs no answer only this has an effect: the gate asks clients nothing, so responses of theirs answer nothing.
function accept(message: RpcNotification | RpcResponse, session: Session): Answer {
  if (message.kind === 'notification' && message.method === methods.cancelled) {
    cancel(session, message.params?.['requestId']);
  }
  return ACCEPTED;
}

function answerRequest(
  exchange: Exchange,
  request: RpcRequest,
  { session, caller }: { readonly session: Session; readonly caller: Caller },
  gate: Gate,
): Answer | Promise<Answer> {
  switch (request.method) {
    case methods.ping:
      return resultAnswer(request.id, '{}');
    case methods.toolsList: {
      const { list } = gate.visibility.of(caller.principal, exchange.endpoint);
      session.announced = list;
      return resultAnswer(request.id, list);
    }
    case methods.toolsCall:
      return callTool(exchange, request, { session, caller }, gate);
    default:
      throw new Refusal('method-unknown');
  }
}

function cancel(session: Session, requestId: unknown): void {
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
  session.calls.get(requestId)?.end(new Refusal('call-cancelled'));
}

function endOfSession(session: Session, { sessions }: Gate): Answer {
  return {
    kind: 'status',
    status: 200,
    ending: admitted,
    settle: (recorded) =>
      recorded
        ? endSession(sessions, session, 'client', 'its client ended the session')
        : undefined,
  };
}
