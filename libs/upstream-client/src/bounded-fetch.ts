import { request as requestHttp, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as requestHttps, Agent as HttpsAgent } from 'node:https';
import { Readable, Transform } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/client';
import { MessageOverLimit } from './failure.ts';

/** Carries the id of a request from where it is sent to where its response is seen; taken off before anything leaves. */
export const REQUEST_ID_HEADER = 'x-gatehouse-request';

export interface FetchOptions {
  /** One message may be no larger: a whole body, or one event of a stream. */
  readonly maxMessageBytes: number;
  /** Whether a stream is opened for what the server says of its own accord; where nobody listens, it would only cost a socket. */
  readonly standingStream: boolean;
  /** The response to this request is one whole text: when it has been read, there is nothing more to come. */
  readonly answeredAtOnce: (requestId: number) => void;
}

/** A fetch for the SDK's transport, and the sockets it keeps open. */
export interface BoundedFetch {
  readonly fetch: FetchLike;
  close(): void;
}

type Send = (
  url: URL,
  headers: Record<string, string>,
  init: RequestInit,
) => Promise<IncomingMessage>;

/** On node:http and not on the platform's fetch, which costs several times as much for a small JSON answer. */
export function boundedFetch(options: FetchOptions): BoundedFetch {
  const { maxMessageBytes, standingStream, answeredAtOnce } = options;
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  const send: Send = (url, headers, init) =>
    new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const { method = 'GET', signal } = init;
      const how = { method, headers, agent: secure ? https : http, ...(signal && { signal }) };
      const request = (secure ? requestHttps : requestHttp)(url, how);
      request.on('error', reject).once('response', resolve);
      request.end(init.body ?? undefined);
    });
  return {
    fetch: async (target, init = {}) => {
      const { [REQUEST_ID_HEADER]: requestId, ...headers } = Object.fromEntries(
        new Headers(init.headers),
      );
      const stands = init.method === 'GET' && headers['last-event-id'] === undefined;
      if (stands && !standingStream) return new Response(null, { status: 405 });
      const message = await send(new URL(target), headers, init);
      if (message.headers['content-type']?.includes('text/event-stream')) {
        return streamed(message, maxMessageBytes);
      }
      const body = await whole(message, maxMessageBytes);
      if (requestId !== undefined && isSuccess(message)) answeredAtOnce(Number(requestId));
      return buffered(message, body);
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function whole(message: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop early destroys the message and its socket.
    if (size > limit) throw new MessageOverLimit(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function streamed(message: IncomingMessage, limit: number): Response {
  let size = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const end = endOfLastEvent(chunk);
      size = end < 0 ? size + chunk.length : chunk.length - end;
      done(size > limit ? new MessageOverLimit(limit) : null, chunk);
    },
  });
  message.once('error', (error) => counter.destroy(error));
  counter.once('close', () => message.destroy());
  const body = Readable.toWeb(message.pipe(counter)) as ReadableStream<Uint8Array>;
  return new Response(body, { status: message.statusCode ?? 0, headers: headersOf(message) });
}

// An end that two chunks share is missed, and two events then count as one: the limit bounds memory, it need not be exact.
function endOfLastEvent(chunk: Buffer): number {
  const plain = chunk.lastIndexOf('\n\n');
  const windows = chunk.lastIndexOf('\n\r\n');
  return Math.max(plain < 0 ? -1 : plain + 2, windows < 0 ? -1 : windows + 3);
}

// What the transport reads of a response whose body is there already. A real Response would wrap the text in a stream,
// only for it to be read out of it again.
function buffered(message: IncomingMessage, body: string): Response {
  return {
    ok: isSuccess(message),
    status: message.statusCode ?? 0,
    statusText: message.statusMessage ?? '',
    headers: headersOf(message),
    text: async () => body,
    json: async () => JSON.parse(body) as unknown,
  } as Response;
}

function headersOf({ headers }: IncomingMessage): Headers {
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') copy.set(name, value);
  }
  return copy;
}
