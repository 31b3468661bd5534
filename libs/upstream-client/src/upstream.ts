import type { ServerInfo } from '@gatehouse/event-catalog';
import type { Refusal } from '@gatehouse/problem-catalog';

export type JsonObject = Record<string, unknown>;

/** What hears of messages that belong to no request of ours, of what a process writes to stderr, and of the end of a connection that we did not close. */
export interface UpstreamListeners {
  readonly onNotification?: (method: string, params: JsonObject | undefined) => void;
  readonly onStderr?: (text: string) => void;
  readonly onLost?: (why: Refusal) => void;
}

/** How an upstream may be reached and how much of it is borne. */
export interface UpstreamSettings extends UpstreamListeners {
  /** The stdio commands that the operator allows, compared exactly. */
  readonly stdioCommands: readonly string[];
  /** For opening the transport and shaking hands, together. */
  readonly connectTimeoutMs: number;
  /** One message from upstream may be no larger. */
  readonly maxMessageBytes: number;
  readonly clientInfo: { readonly name: string; readonly version: string };
}

/** How long a request may take, what ends it early, and who hears of its progress. */
export interface UpstreamRequestOptions {
  readonly timeoutMs: number;
  /** Aborting cancels the request upstream too, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Where in a trace the request belongs; told in a header, over HTTP only. */
  readonly traceparent?: string | undefined;
  /** Asks for progress; called with each notification's params, our own token still in them. */
  readonly onProgress?: ((params: JsonObject) => void) | undefined;
}

/** What an upstream answered, exactly as it came. */
export type UpstreamAnswer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | {
      readonly kind: 'error';
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

/** An MCP server that we have shaken hands with, spoken to as a client that offers nothing: no roots, sampling or elicitation. */
export interface Upstream {
  /** What it says of itself. */
  readonly server: ServerInfo;
  readonly capabilities: JsonObject;
  /** Throws `upstream-unavailable`, `upstream-timeout` or `upstream-garbled`; what happened is in `internal`, for callers must not read addresses. */
  request(
    method: string,
    params: JsonObject | undefined,
    options: UpstreamRequestOptions,
  ): Promise<UpstreamAnswer>;
  notify(method: string, params?: JsonObject): Promise<void>;
  /** Ends the session, or the process: its stdin closes, then SIGTERM, then SIGKILL. Resolves when it is gone; never throws. */
  close(): Promise<void>;
}
