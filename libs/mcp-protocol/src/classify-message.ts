/** The id that pairs a response with its request. */
export type RequestId = string | number;

/** The `params` of a message or the `result` of a response, exactly as parsed: nothing dropped, nothing copied. */
export type JsonObject = { readonly [key: string]: unknown };

/** A JSON-RPC request: it expects a response of the same id. */
export interface RpcRequest {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** A JSON-RPC notification: nobody answers it. */
export interface RpcNotification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** A JSON-RPC response. `id` is undefined only in an error about a message whose id could not be read. */
export interface RpcResponse {
  readonly kind: 'response';
  readonly id: RequestId | undefined;
  readonly outcome:
    | { readonly kind: 'result'; readonly result: JsonObject }
    | { readonly kind: 'error'; readonly error: RpcErrorObject };
}

/** What a peer says went wrong. */
export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Several messages in one body, each still to be classified. Empty when the body was `[]`. */
export interface RpcBatch {
  readonly kind: 'batch';
  readonly messages: readonly unknown[];
}

/** No JSON-RPC 2.0 message. `id` is what an error answer should carry: the sender's when legible, else null. */
export interface RpcMalformed {
  readonly kind: 'malformed';
  readonly id: RequestId | null;
  readonly because: string;
}

/** What a parsed body is. */
export type ClassifiedMessage =
  | RpcRequest
  | RpcNotification
  | RpcResponse
  | RpcBatch
  | RpcMalformed;

const REQUEST_KEYS = new Set(['jsonrpc', 'id', 'method', 'params']);
const RESPONSE_KEYS = new Set(['jsonrpc', 'id', 'result', 'error']);

/**
 * Says what a parsed JSON body is. By hand, not by schema: a schema's parse costs a hundred times as much and rebuilds
 * `params`. As strict as the envelope schemas of the SDK, whose transports refuse keys they do not know; a test holds
 * the two together.
 */
export function classifyMessage(body: unknown): ClassifiedMessage {
  if (Array.isArray(body)) return { kind: 'batch', messages: body };
  if (!isJsonObject(body)) return malformed(null, 'a message is a JSON object');
  const id = isRequestId(body['id']) ? body['id'] : null;
  if (body['jsonrpc'] !== '2.0') return malformed(id, '`jsonrpc` must be "2.0"');
  if (has(body, 'id') && id === null) {
    return malformed(null, '`id` must be a string or an integer');
  }
  return has(body, 'method') ? classifyCall(body, id) : classifyResponse(body, id);
}

function classifyCall(body: JsonObject, id: RequestId | null): ClassifiedMessage {
  const { method, params } = body;
  if (typeof method !== 'string') return malformed(id, '`method` must be a string');
  if (has(body, 'params') && !isJsonObject(params)) {
    return malformed(id, '`params` must be an object');
  }
  if (!keysWithin(body, REQUEST_KEYS)) {
    return malformed(id, 'a request has no other keys than jsonrpc, id, method and params');
  }
  const call = { method, params: isJsonObject(params) ? params : undefined };
  return id === null ? { kind: 'notification', ...call } : { kind: 'request', id, ...call };
}

function classifyResponse(body: JsonObject, id: RequestId | null): ClassifiedMessage {
  const { result, error } = body;
  if (has(body, 'result') === has(body, 'error')) {
    return malformed(id, 'a message has a `method`, a `result` or an `error`');
  }
  if (!keysWithin(body, RESPONSE_KEYS)) {
    return malformed(id, 'a response has no other keys than jsonrpc, id, result and error');
  }
  if (has(body, 'error')) {
    if (!isRpcError(error)) return malformed(id, '`error` must have a code and a message');
    return { kind: 'response', id: id ?? undefined, outcome: { kind: 'error', error } };
  }
  if (id === null) return malformed(null, 'a result needs the id of its request');
  if (!isJsonObject(result)) return malformed(id, '`result` must be an object');
  return { kind: 'response', id, outcome: { kind: 'result', result } };
}

function malformed(id: RequestId | null, because: string): RpcMalformed {
  return { kind: 'malformed', id, because };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Beyond the safe range two ids of a client could become one here.
function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function isRpcError(value: unknown): value is RpcErrorObject {
  return (
    isJsonObject(value) &&
    Number.isSafeInteger(value['code']) &&
    typeof value['message'] === 'string'
  );
}

function has(body: JsonObject, key: string): boolean {
  return Object.hasOwn(body, key);
}

function keysWithin(body: JsonObject, allowed: ReadonlySet<string>): boolean {
  return Object.keys(body).every((key) => allowed.has(key));
}
