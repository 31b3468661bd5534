import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '@gatehouse/problem-catalog';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../log/logger.ts';
import { problemDocument } from './problem-document.ts';

/** What arrived where a request should have, and is none: HTTP could not be read from it, so it names no service. */
export interface MalformedRequest {
  readonly requestId: string;
  readonly clientIp: string;
  readonly refusal: Refusal;
}

/** Told of a malformed request before it is answered; a Refusal that it rejects with becomes the answer. */
export type OnMalformedRequest = (request: MalformedRequest) => Promise<void>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

// A client that still sends must be able to read why it was refused, before the connection is reset.
const LINGER_MS = 500;
const details: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'The headers are larger than is accepted here.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/** Ends connections on which no HTTP can be read any more: with one answer, or with that of the request whose body broke off. */
export class BrokenConnections {
  readonly #told: readonly OnMalformedRequest[];
  readonly #log: Logger;
  readonly #latest = new WeakMap<Socket, Exchange>();
  readonly #broken = new WeakSet<Socket>();

  constructor(told: readonly OnMalformedRequest[], log: Logger) {
    this.#told = told;
    this.#log = log;
  }

  /** Remembers what a connection carries, since an error of the parser names only the connection. */
  carry(request: IncomingMessage, response: ServerResponse): void {
    this.#latest.set(request.socket, { request, response });
  }

  /** Takes an error of Node's HTTP parser. It repeats itself with every further byte; the first one counts. */
  fail(error: NodeJS.ErrnoException, socket: Socket): void {
    if (this.#broken.has(socket)) return;
    this.#broken.add(socket);
    // Nothing was asked on a connection that only broke, or on which nothing was ever said.
    if (!isOfRequest(error) || socket.bytesRead === 0) return void socket.destroy();
    const latest = this.#latest.get(socket);
    if (latest !== undefined && !latest.request.complete) return breakOff(latest, error);
    const detail = details[error.code ?? ''] ?? 'This is not HTTP as it can be read here.';
    const refusal = new Refusal('request-invalid', { detail, internal: reasonOf(error) });
    void this.refuse(refusal, socket);
  }

  /** Answers, once, on the bare connection, and closes it. */
  async refuse(refusal: Refusal, socket: Socket): Promise<void> {
    const clientIp = socket.remoteAddress ?? '';
    const malformed = { requestId: uuidv7(), clientIp, refusal };
    let leaving: unknown = refusal;
    try {
      for (const tell of this.#told) await tell(malformed);
    } catch (failure) {
      leaving = failure;
    }
    const { requestId } = malformed;
    this.#log.info({ requestId, clientIp, reason: refusal.internal }, 'malformed request refused');
    const response = this.#latest.get(socket)?.response;
    const write = (): void => answer(socket, leaving, requestId);
    if (response === undefined || response.writableFinished) return write();
    // What was asked before is answered before; where that is a stream there is no room for more.
    if (response.headersSent && !response.writableEnded) return void socket.destroy();
    response.once('finish', write);
  }
}

function isOfRequest({ code = '' }: NodeJS.ErrnoException): boolean {
  return code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const reason = (error as { reason?: string }).reason;
  return [error.code, reason ?? error.message].join(': ');
}

// Whoever reads the body refuses the request, and so gives the one answer; if nobody does there is none to give.
function breakOff({ request, response }: Exchange, error: Error): void {
  if (response.writableEnded) return request.socket.destroySoon();
  if (request.listenerCount('error') === 0) return void request.socket.destroy();
  response.shouldKeepAlive = false;
  request.emit('error', error);
}

function answer(socket: Socket, thrown: unknown, requestId: string): void {
  if (!socket.writable) return void socket.destroy();
  const document = problemDocument(thrown, requestId);
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ].join('\r\n');
  socket.end(`${head}\r\n\r\n${body}`, () => {
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
}
