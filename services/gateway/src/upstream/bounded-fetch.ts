import type { FetchLike } from '@modelcontextprotocol/client';
import { ResultTooLarge } from './upstream-failure.ts';

/** Carries the id of a request from where it is sent to where its response is seen; taken off before anything leaves. */
export const REQUEST_ID_HEADER = 'x-gatehouse-request';

export interface FetchWatch {
  readonly limitBytes: number;
  /** The response to this request is one JSON text: when it has been read, there is nothing more to come. */
  readonly answeredAtOnce: (requestId: number) => void;
}

/** A fetch that lets no more bytes of a response in than the limit, and opens no stream that the gate has no use for. */
export function boundedFetch({ limitBytes, answeredAtOnce }: FetchWatch): FetchLike {
  return async (url, init) => {
    const headers = new Headers(init?.headers);
    // Nothing that a server says outside of a call is passed on, so a standing stream would only cost a socket.
    if (init?.method === 'GET' && !headers.has('last-event-id')) {
      return new Response(null, { status: 405 });
    }
    const requestId = headers.get(REQUEST_ID_HEADER);
    headers.delete(REQUEST_ID_HEADER);
    const response = await fetch(url, { ...init, headers });
    const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
    if (requestId !== null && response.ok && !isStream) answeredAtOnce(Number(requestId));
    return bounded(response, limitBytes);
  };
}

function bounded(response: Response, limit: number): Response {
  const { body, status, statusText, headers } = response;
  if (body === null) return response;
  // A length that was announced and holds needs no counting, unless it is that of compressed bytes.
  const announced = headers.has('content-encoding') ? null : headers.get('content-length');
  if (announced !== null && Number(announced) <= limit) return response;
  let seen = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > limit) controller.error(new ResultTooLarge(limit));
      else controller.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(counter), { status, statusText, headers });
}
