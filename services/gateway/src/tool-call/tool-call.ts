import type { JsonObject, RpcRequest } from '@gatehouse/mcp-protocol';
import type { Refusal } from '@gatehouse/problem-catalog';
import type { UpstreamAnswer } from '@gatehouse/upstream-client';
import type { Caller, Exchange } from '../entrance/exchange.ts';
import type { Session } from '../session/session.ts';
import type { ServedServer, ServedTool } from '../state/served-server.ts';

/** A tools/call on its way through the steps, and what they have found out. */
export class ToolCall {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly session: Session;
  readonly request: RpcRequest;
  /** The name as the caller wrote it. */
  readonly name: string;
  readonly arguments: JsonObject | undefined;
  readonly meta: JsonObject | undefined;
  server: ServedServer | null = null;
  resolved: ServedTool | null = null;
  answer: UpstreamAnswer | null = null;
  /** Settles with the record that the call is about to happen; null while none had to be made. */
  intent: Promise<void> | null = null;
  readonly #ending = new AbortController();

  constructor(of: {
    exchange: Exchange;
    caller: Caller;
    session: Session;
    request: RpcRequest;
    name: string;
    arguments: JsonObject | undefined;
    meta: JsonObject | undefined;
  }) {
    this.exchange = of.exchange;
    this.caller = of.caller;
    this.session = of.session;
    this.request = of.request;
    this.name = of.name;
    this.arguments = of.arguments;
    this.meta = of.meta;
  }

  /** Aborted, with a Refusal as reason, once the call shall go no further. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Stops the call wherever it is: its caller gave it up, or the right to make it ended. */
  end(refusal: Refusal): void {
    this.#ending.abort(refusal);
  }
}
