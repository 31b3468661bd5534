import { request as requestHttp, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as requestHttps, Agent as HttpsAgent } from 'node:https';
import { Readable, Transform } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/client';
import { ResultTooLarge } from './upstream-failure.ts';

/** Carries the id of a request from where it is sent to where its response is seen; taken off before anything leaves. */
export const REQUEST_ID_HEADER = 'x-gatehouse-request';

export interface FetchOptions {
  readonly limitBytes: number;
  /** The response to this request is one JSON text: when it has been read, there is nothing more to come. */
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

/**
 * A fetch that lets no more bytes of a response in than the limit, and opens no stream that the gate has no use for.
 * On node:http and not on the platform's fetch, which costs several times as much for a small JSON answer.
 */
export function boundedFetch({ limitBytes, answeredAtOnce }: FetchOptions): BoundedFetch {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });
  const send: Send = (url, headers, init) =>
    new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const { method = 'GET', signal } = init;
      const options = { method, headers, agent: secure ? https : http, ...(signal && { signal }) };
      const request = (secure ? requestHttps : requestHttp)(url, options);
      request.once('error', reject).once('response', resolve);
      request.end(init.body ?? undefined);
    });
  return {
    fetch: async (target, init = {}) => {
      const { [REQUEST_ID_HEADER]: requestId, ...headers } = Object.fromEntries(
        new Headers(init.headers),
      );
      // Nothing that a server says outside of a call is passed on, so a standing stream would only cost a socket.
      if (init.method === 'GET' && headers['last-event-id'] === undefined) {
        return new Response(null, { status: 405 });
      }
      const message = await send(new URL(target), headers, init);
      if (message.headers['content-type']?.includes('text/event-stream')) {
        return streamed(message, limitBytes);
      }
      const body = await whole(message, limitBytes);
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
    if (size > limit) throw new ResultTooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function streamed(message: IncomingMessage, limit: number): Response {
  let size = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done(size > limit ? new ResultTooLarge(limit) : null, chunk);
    },
  });
  message.once('error', (error) => counter.destroy(error));
  counter.once('close', () => message.destroy());
  const body = Readable.toWeb(message.pipe(counter)) as ReadableStream<Uint8Array>;
  return new Response(body, { status: message.statusCode ?? 0, headers: headersOf(message) });
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
