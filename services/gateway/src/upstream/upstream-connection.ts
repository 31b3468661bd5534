import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { JsonObject, RpcErrorObject } from '@gatehouse/mcp-protocol';
import { methods } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { REQUEST_ID_HEADER } from './bounded-fetch.ts';
import type { OpenedTransport } from './open-transport.ts';
import { refusalOf } from './upstream-failure.ts';

/** How a server answered: with a result or with an error of its own. */
export type UpstreamAnswer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: RpcErrorObject };

export interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly timeoutMs: number;
  /** Ends the request early, with the signal's reason; the server is told. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for progress; called with each notification's params, the gate's own token still in them. */
  readonly onProgress?: ((params: JsonObject) => void) | undefined;
}

interface Pending {
  readonly onProgress: ((params: JsonObject) => void) | undefined;
  settle(answer: UpstreamAnswer): void;
  fail(refusal: Refusal): void;
}

/**
 * One MCP conversation of one principal with one server, over a transport of the SDK. Ids and progress tokens are its
 * own, so those of two clients never meet. What a server says outside of an answer or its progress goes nowhere.
 */
export class UpstreamConnection {
  readonly #opened: OpenedTransport;
  readonly #onBroken: (connection: UpstreamConnection) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #answeredAtOnce = new Set<number>();
  #nextId = 1;
  #retired = false;
  #left: Promise<void> | undefined;
  #lastError: Error | undefined;
  lastUsedAt = performance.now();

  constructor(opened: OpenedTransport, onBroken: (connection: UpstreamConnection) => void) {
    this.#opened = opened;
    this.#onBroken = onBroken;
    opened.transport.onmessage = (message) => this.#receive(message);
    opened.transport.onerror = (error) => {
      this.#lastError = error;
    };
    opened.transport.onclose = () => this.#closed();
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  async start(): Promise<void> {
    await this.#opened.transport.start();
  }

  /** The answer to a request; rejects with a Refusal when there is none. */
  request({
    method,
    params,
    timeoutMs,
    signal,
    onProgress,
  }: UpstreamRequest): Promise<UpstreamAnswer> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = this.#nextId++;
    this.lastUsedAt = performance.now();
    return new Promise((resolve, reject) => {
      const sending = new AbortController();
      const abandon = (refusal: Refusal): void => {
        this.#tellCancelled(method, id);
        this.#pending.get(id)?.fail(refusal);
        sending.abort();
      };
      const timer = setTimeout(
        () =>
          abandon(new Refusal('upstream-timeout', { internal: `no answer in ${timeoutMs} ms` })),
        timeoutMs,
      );
      const onAbort = (): void => abandon(signal?.reason as Refusal);
      signal?.addEventListener('abort', onAbort, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        this.lastUsedAt = performance.now();
        if (this.#retired && this.#pending.size === 0) void this.leave();
      };
      this.#pending.set(id, {
        onProgress,
        settle: (answer) => (done(), resolve(answer)),
        fail: (refusal) => (done(), reject(refusal)),
      });
      const tagged =
        onProgress === undefined
          ? params
          : { ...params, _meta: { ...(params['_meta'] as object | undefined), progressToken: id } };
      this.#send({ jsonrpc: '2.0', id, method, params: tagged }, id, sending.signal);
    });
  }

  notify(method: string, params?: JsonObject): Promise<void> {
    const message = { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
    return this.#opened.transport.send(message as JSONRPCMessage);
  }

  /** The version that later HTTP requests name in their header. */
  setProtocolVersion(version: string): void {
    this.#opened.transport.setProtocolVersion?.(version);
  }

  /** A response of one JSON text was read to its end: if the request still waits, that text was no answer to it. */
  noteAnsweredAtOnce(id: number): void {
    this.#answeredAtOnce.add(id);
  }

  /** Takes no more requests; leaves once those under way are done. */
  retire(): void {
    this.#retired = true;
    if (this.#pending.size === 0) void this.leave();
  }

  /** Ends it now; what is under way fails. */
  leave(): Promise<void> {
    this.#left ??= this.#opened
      .leave()
      .catch(() => undefined)
      .then(() => this.#closed());
    return this.#left;
  }

  #send(message: JSONRPCMessage, id: number, requestSignal: AbortSignal): void {
    const garbled = (internal: string): void =>
      this.#pending.get(id)?.fail(new Refusal('upstream-garbled', { internal }));
    this.#opened.transport
      .send(message, {
        requestSignal,
        headers: { [REQUEST_ID_HEADER]: String(id) },
        onRequestStreamEnd: () => garbled('the stream of the request ended without an answer'),
      })
      .then(() => {
        if (this.#answeredAtOnce.delete(id)) garbled('the response was no answer to the request');
      })
      .catch((failure: unknown) => {
        this.#answeredAtOnce.delete(id);
        const refusal = refusalOf(failure, this.#inSession);
        this.#pending.get(id)?.fail(refusal);
        if (refusal.code === 'upstream-unavailable') this.#onBroken(this);
      });
  }

  get #inSession(): boolean {
    const { transport } = this.#opened;
    return 'sessionId' in transport && transport.sessionId !== undefined;
  }

  #receive(message: JSONRPCMessage): void {
    if ('method' in message) return this.#receiveCall(message);
    const pending = typeof message.id === 'number' ? this.#pending.get(message.id) : undefined;
    if (pending === undefined) return;
    if ('error' in message) pending.settle({ kind: 'error', error: message.error });
    else pending.settle({ kind: 'result', result: message.result });
  }

  #receiveCall(message: Extract<JSONRPCMessage, { method: string }>): void {
    if ('id' in message) {
      // No client capability was declared, so there is nothing a server may ask for; but an answer it shall have.
      const error = { code: -32601, message: 'Method not found' };
      const answer =
        message.method === methods.ping
          ? { jsonrpc: '2.0' as const, id: message.id, result: {} }
          : { jsonrpc: '2.0' as const, id: message.id, error };
      this.#opened.transport.send(answer).catch(() => undefined);
      return;
    }
    if (message.method !== methods.progress) return;
    const params = message.params;
    const token = params?.['progressToken'];
    if (typeof token === 'number') this.#pending.get(token)?.onProgress?.(params!);
  }

  #tellCancelled(method: string, requestId: number): void {
    // An initialize must not be cancelled; its connection is left instead.
    if (method === methods.initialize) return;
    this.notify(methods.cancelled, { requestId }).catch(() => undefined);
  }

  #closed(): void {
    const why = this.#lastError?.message ?? 'the connection to the server ended';
    const code = why.startsWith('ReadBuffer exceeded')
      ? 'upstream-garbled'
      : 'upstream-unavailable';
    for (const pending of this.#pending.values())
      pending.fail(new Refusal(code, { internal: why }));
    this.#onBroken(this);
  }
}
