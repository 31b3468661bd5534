import { Refusal } from '@gatehouse/problem-catalog';
import { isJSONRPCErrorResponse, isJSONRPCResultResponse } from '@modelcontextprotocol/client';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isGarbled, isSessionGone, refusalOf, timedOut, unavailable } from './failure.ts';
import type { OpenTransport } from './open-transport.ts';
import type { UpstreamAnswer, UpstreamListeners, UpstreamRequestOptions } from './upstream.ts';

type JsonObject = Record<string, unknown>;

interface Waiting {
  answer(answer: UpstreamAnswer): void;
  fail(error: unknown): void;
}

const METHOD_NOT_FOUND = -32_601;

/** Requests and answers over one transport: our own ids, a deadline each, and an end that fails all who wait. */
export class Connection {
  readonly #transport: OpenTransport;
  readonly #listeners: UpstreamListeners;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lastNoise: Error | undefined;
  #closing: Promise<void> | undefined;
  #lost: Refusal | undefined;

  constructor(transport: OpenTransport, listeners: UpstreamListeners) {
    this.#transport = transport;
    this.#listeners = listeners;
    const wire: Pick<Transport, 'onmessage' | 'onerror' | 'onclose'> = {
      onmessage: (message) => this.#receive(message),
      // Not fatal by itself: a stream that could not be opened, a line on stdout that is no message.
      onerror: (error) => {
        this.#lastNoise = error;
      },
      onclose: () => this.#ended(),
    };
    Object.assign(transport.wire, wire);
  }

  async start(): Promise<void> {
    await this.#transport.start();
  }

  speaks(protocolVersion: string): void {
    this.#transport.wire.setProtocolVersion?.(protocolVersion);
  }

  async request(
    method: string,
    params: JsonObject | undefined,
    { timeoutMs, signal }: UpstreamRequestOptions,
  ): Promise<UpstreamAnswer> {
    signal?.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    const id = (this.#lastId += 1);
    const exchange = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<UpstreamAnswer>((resolve, reject) => {
        this.#waiting.set(id, { answer: resolve, fail: reject });
        const giveUp = (error: unknown, why: string): void => {
          reject(error);
          if (method !== 'initialize') this.#cancel(id, why);
          exchange.abort();
        };
        timer = setTimeout(
          () => giveUp(timedOut(this.#silence(method, timeoutMs)), 'timeout'),
          timeoutMs,
        );
        onAbort = () => giveUp(signal?.reason, 'cancelled');
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#transport.wire
          .send(
            { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) },
            {
              requestSignal: exchange.signal,
              onRequestStreamEnd: () => reject(this.#streamEnded()),
            },
          )
          .catch((error: unknown) => reject(this.#sendFailed(error)));
      });
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  async notify(method: string, params?: JsonObject): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    try {
      await this.#transport.wire.send({
        jsonrpc: '2.0',
        method,
        ...(params === undefined ? {} : { params }),
      });
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

  #receive(message: JSONRPCMessage): void {
    if (isJSONRPCResultResponse(message)) {
      const result = message.result as JsonObject;
      this.#waiting.get(Number(message.id))?.answer({ kind: 'result', result });
    } else if (isJSONRPCErrorResponse(message)) {
      this.#waiting.get(Number(message.id))?.answer({ kind: 'error', error: message.error });
    } else if ('id' in message && message.id !== undefined) {
      this.#answer(message.id, message.method);
    } else if ('method' in message) {
      this.#listeners.onNotification?.(message.method, message.params);
    }
  }

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

  #sendFailed(error: unknown): Refusal {
    const { sessionId } = this.#transport.wire;
    if (sessionId === undefined || !isSessionGone(error)) return refusalOf(error);
    const why = unavailable('it no longer knows the session', error);
    this.#lose(why);
    return why;
  }

  #silence(method: string, timeoutMs: number): string {
    const noise = this.#lastNoise === undefined ? '' : ` (last heard: ${this.#lastNoise.message})`;
    return `no answer to ${method} within ${timeoutMs} ms${noise}`;
  }

  #streamEnded(): Refusal {
    if (isGarbled(this.#lastNoise)) return refusalOf(this.#lastNoise);
    return unavailable('it ended its answer before it was complete', this.#lastNoise);
  }

  #ended(): void {
    this.#lose(
      isGarbled(this.#lastNoise)
        ? refusalOf(this.#lastNoise)
        : unavailable('it ended the connection', this.#lastNoise),
    );
  }

  #lose(why: Refusal): void {
    const isNews = this.#lost === undefined && this.#closing === undefined;
    this.#fail(why);
    if (isNews) this.#listeners.onLost?.(why);
  }

  #fail(why: Refusal): void {
    this.#lost ??= why;
    for (const waiting of this.#waiting.values()) waiting.fail(why);
    this.#waiting.clear();
  }
}
