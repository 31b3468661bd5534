import { Refusal } from '@gatehouse/problem-catalog';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { REQUEST_ID_HEADER } from './bounded-fetch.ts';
import {
  garbled,
  isGarbled,
  refusalInSession,
  refusalOf,
  SessionLost,
  timedOut,
  unavailable,
} from './failure.ts';
import type { OpenTransport } from './open-transport.ts';
import type {
  JsonObject,
  UpstreamAnswer,
  UpstreamListeners,
  UpstreamRequestOptions,
} from './upstream.ts';

interface Waiting {
  readonly onProgress: ((params: JsonObject) => void) | undefined;
  answer(answer: UpstreamAnswer): void;
  fail(error: unknown): void;
}

const METHOD_NOT_FOUND = -32_601;

/**
 * Requests and answers over one transport: ids and progress tokens of our own, so those of two callers never meet; a
 * deadline each; and an end that fails all who wait.
 */
export class Connection {
  readonly #transport: OpenTransport;
  readonly #listeners: UpstreamListeners;
  readonly #waiting = new Map<number, Waiting>();
  readonly #answeredAtOnce = new Set<number>();
  #lastId = 0;
  #lastNoise: Error | undefined;
  #closing: Promise<void> | undefined;
  #lost: Refusal | undefined;

  constructor(
    open: (answeredAtOnce: (requestId: number) => void) => OpenTransport,
    listeners: UpstreamListeners,
  ) {
    this.#transport = open((id) => this.#answeredAtOnce.add(id));
    this.#listeners = listeners;
    const { wire } = this.#transport;
    wire.onmessage = (message) => this.#receive(message);
    // Not fatal by itself: a stream that could not be opened, a line on stdout that is no message.
    wire.onerror = (error) => {
      this.#lastNoise = error;
    };
    wire.onclose = () => this.#ended();
  }

  async start(): Promise<void> {
    await this.#transport.start();
  }

  /** The version that later HTTP requests name in their header. */
  speaks(protocolVersion: string): void {
    this.#transport.wire.setProtocolVersion?.(protocolVersion);
  }

  request(
    method: string,
    params: JsonObject | undefined,
    { timeoutMs, signal, onProgress, traceparent }: UpstreamRequestOptions,
  ): Promise<UpstreamAnswer> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const exchange = new AbortController();
      const giveUp = (error: unknown, why: string): void => {
        this.#waiting.get(id)?.fail(error);
        // An initialize must not be cancelled; its connection is closed instead.
        if (method !== 'initialize') this.#cancel(id, why);
        exchange.abort();
      };
      const timer = setTimeout(
        () => giveUp(timedOut(this.#silence(method, timeoutMs)), 'timeout'),
        timeoutMs,
      );
      const onAbort = (): void => giveUp(signal?.reason, 'cancelled');
      signal?.addEventListener('abort', onAbort, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        onProgress,
        answer: (answer) => (done(), resolve(answer)),
        fail: (error) => (done(), reject(error)),
      });
      const message = messageOf(method, onProgress === undefined ? params : tagged(params, id));
      const headers = traceparent === undefined ? {} : { traceparent };
      this.#send(id, message, headers, exchange.signal);
    });
  }

  async notify(method: string, params?: JsonObject): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    try {
      await this.#transport.wire.send(messageOf(method, params));
    } catch (error) {
      throw refusalOf(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#transport.end().catch(() => undefined);
    this.#fail(unavailable('the connection was closed'));
    return this.#closing;
  }

  /** The failure with what the process said on stderr, where it said something. */
  explain(error: unknown): Refusal {
    const refusal = refusalOf(error);
    const complaints = this.#transport.complaints();
    if (complaints === '') return refusal;
    const internal = `${refusal.internal ?? refusal.message}; on stderr: ${complaints}`;
    return new Refusal(refusal.code, { internal, cause: refusal });
  }

  #send(
    id: number,
    message: Call,
    headers: Readonly<Record<string, string>>,
    requestSignal: AbortSignal,
  ): void {
    this.#transport.wire
      .send(
        { ...message, id },
        {
          requestSignal,
          headers: { ...headers, [REQUEST_ID_HEADER]: String(id) },
          onRequestStreamEnd: () => this.#waiting.get(id)?.fail(this.#streamEnded()),
        },
      )
      .then(() => {
        // Read to its end, and the request still waits: that text was no answer to it.
        if (!this.#answeredAtOnce.delete(id)) return;
        this.#waiting.get(id)?.fail(garbled('what it responded is no answer to the request'));
      })
      .catch((error: unknown) => {
        this.#answeredAtOnce.delete(id);
        const refusal = this.#inSession ? refusalInSession(error) : refusalOf(error);
        this.#waiting.get(id)?.fail(refusal);
        // Others under way were taken by the session while it lasted; they find out for themselves.
        if (refusal instanceof SessionLost) this.#lose(refusal);
      });
  }

  get #inSession(): boolean {
    return this.#transport.wire.sessionId !== undefined;
  }

  #receive(message: JSONRPCMessage): void {
    if ('method' in message) {
      if ('id' in message) this.#answer(message.id, message.method);
      else this.#hear(message.method, message.params);
      return;
    }
    const waiting = typeof message.id === 'number' ? this.#waiting.get(message.id) : undefined;
    if (waiting === undefined) return;
    if ('error' in message) waiting.answer({ kind: 'error', error: message.error });
    else waiting.answer({ kind: 'result', result: message.result });
  }

  #hear(method: string, params: JsonObject | undefined): void {
    const token = method === 'notifications/progress' ? params?.['progressToken'] : undefined;
    const onProgress = typeof token === 'number' ? this.#waiting.get(token)?.onProgress : undefined;
    if (onProgress !== undefined && params !== undefined) onProgress(params);
    else this.#listeners.onNotification?.(method, params);
  }

  // No client capability was declared, so there is nothing a server may ask for; but an answer it shall have.
  #answer(id: string | number, method: string): void {
    const answer: JSONRPCMessage =
      method === 'ping'
        ? { jsonrpc: '2.0', id, result: {} }
        : { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
    void this.#transport.wire.send(answer).catch(() => undefined);
  }

  #cancel(requestId: number, reason: string): void {
    void this.notify('notifications/cancelled', { requestId, reason }).catch(() => undefined);
  }

  #silence(method: string, timeoutMs: number): string {
    const noise = this.#lastNoise === undefined ? '' : ` (last heard: ${this.#lastNoise.message})`;
    return `no answer to ${method} within ${timeoutMs} ms${noise}`;
  }

  #streamEnded(): Refusal {
    const noise = this.#lastNoise;
    this.#lastNoise = undefined;
    return noise === undefined
      ? garbled('it ended its response without an answer')
      : isGarbled(noise)
        ? refusalOf(noise)
        : unavailable('it ended its answer before it was complete', noise);
  }

  #ended(): void {
    const noise = this.#lastNoise;
    const why = isGarbled(noise) ? refusalOf(noise) : unavailable('it ended the connection', noise);
    this.#lose(why);
    this.#fail(why);
  }

  #lose(why: Refusal): void {
    const isNews = this.#lost === undefined && this.#closing === undefined;
    this.#lost ??= why;
    if (isNews) this.#listeners.onLost?.(why);
  }

  #fail(why: Refusal): void {
    this.#lost ??= why;
    for (const waiting of this.#waiting.values()) waiting.fail(why);
  }
}

type Call = Extract<JSONRPCMessage, { method: string }>;

function messageOf(method: string, params: JsonObject | undefined): Call {
  return { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
}

function tagged(params: JsonObject | undefined, progressToken: number): JsonObject {
  return { ...params, _meta: { ...(params?.['_meta'] as object | undefined), progressToken } };
}
