import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Decision } from '@gatehouse/policy-engine';
import type { RequestId, RpcNotification, RpcRequest, RpcResponse } from '@gatehouse/mcp-protocol';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import type { ToolClass } from '@gatehouse/event-catalog';
import type { Session } from '../session/session.ts';
import type { Headers } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { RequestTrace } from './request-trace.ts';

export type Message = RpcRequest | RpcNotification | RpcResponse;

/** Who calls, and with which of their keys. */
export interface Caller {
  readonly principal: CallingPrincipal;
  readonly keyId: string;
}

/** What is known so far of the tool that a request names; copied into the record whatever happens next. */
export interface ToolFacts {
  readonly server: string | null;
  readonly tool: string;
  readonly toolClass: ToolClass | null;
  readonly arguments: unknown;
  readonly decision: Decision | null;
}

/** One HTTP request on its way through the gate, and what the steps have learnt of it so far. */
export class Exchange {
  readonly requestId = randomUUID();
  readonly startedAt = performance.now();
  /** How much of the time since was a server's. */
  upstreamMs = 0;
  /** A server was given the call: from here on it may have happened, whatever is answered. */
  forwarded = false;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: Endpoint;
  /** MCP method, or `http` until a message was read. */
  method = 'http';
  rpcId: RequestId | null = null;
  caller: Caller | null = null;
  message: Message | null = null;
  session: Session | null = null;
  client: { readonly name: string; readonly version: string } | null = null;
  tool: ToolFacts | null = null;
  /** Null until it is asked for. */
  trace: RequestTrace | null = null;
  /** What lets a page of an invited origin read the answer. */
  cors: Headers = {};
  /** The stream that this request's notifications go out on; null while none had to. */
  stream: Promise<void> | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, endpoint: Endpoint) {
    this.request = request;
    this.response = response;
    this.endpoint = endpoint;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }
}
