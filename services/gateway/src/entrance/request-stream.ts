import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import type { Headers } from './answer.ts';
import type { Exchange } from './exchange.ts';

const PASSED_ON = ['accept', 'content-type', 'mcp-session-id', 'mcp-protocol-version'];

/** The request as the SDK's session transport wants to see it, without its body. */
export function webRequestOf(exchange: Exchange): Request {
  const headers = new globalThis.Headers();
  for (const name of PASSED_ON) {
    const value = exchange.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request(`http://gate${exchange.endpoint.path}`, {
    method: exchange.request.method ?? 'GET',
    headers,
  });
}

/** Turns the answer to a call into a stream, so that something can be said before the answer. Once open it stays so. */
export function openStream(exchange: Exchange): void {
  const { session, rpcId, method } = exchange;
  if (exchange.stream !== null || session === null || rpcId === null) return;
  exchange.stream = session.transport
    .handleRequest(webRequestOf(exchange), { parsedBody: { jsonrpc: '2.0', id: rpcId, method } })
    .then((response) => void pipe(response, exchange.response, exchange.cors));
}

/** Sends on the stream of the request, after what was sent before. A client that went away misses it. */
export function sendOnStream(exchange: Exchange, message: JSONRPCMessage): void {
  const { session, rpcId, stream } = exchange;
  if (session === null || rpcId === null || stream === null) return;
  exchange.stream = stream
    .then(() => session.transport.send(message, { relatedRequestId: rpcId }))
    .catch(() => undefined);
}

/** Sends the answer itself, with which the stream ends. */
export async function finishStream(exchange: Exchange, body: string): Promise<void> {
  sendOnStream(exchange, JSON.parse(body) as JSONRPCMessage);
  await exchange.stream;
}

/** Writes out a response that the SDK framed; resolves when it has ended, by either side. */
export async function pipe(from: Response, to: ServerResponse, headers: Headers): Promise<void> {
  const reader = from.body?.getReader();
  const gone = (): void => void reader?.cancel().catch(() => undefined);
  to.once('close', gone);
  try {
    to.writeHead(from.status, { ...Object.fromEntries(from.headers), ...headers });
    if (reader === undefined) return;
    to.flushHeaders();
    // A client that left before its stream began is not told of it again.
    if (to.destroyed) return gone();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!to.write(value)) await drained(to);
    }
  } catch {
    // The stream broke; there is nothing more to be said on it.
  } finally {
    to.removeListener('close', gone);
    to.end();
  }
}

function drained(to: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      to.removeListener('drain', go);
      to.removeListener('close', go);
      resolve();
    };
    to.once('drain', go);
    to.once('close', go);
  });
}
