import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Refusal } from '@gatehouse/problem-catalog';
import { v7 as uuidv7 } from 'uuid';
import type { BrokenConnections } from './malformed-request.ts';
import { problemDocument } from './problem-document.ts';
import { absoluteForm } from './request-target.ts';

/** A handler that sees requests before the framework's router; answers false for what is not its own. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** An HTTP server that itself answers nothing: whatever arrives goes to the handlers, to the framework, or to `broken`. */
export function createHttpServer(
  handlers: readonly RawHandler[],
  framework: RequestListener,
  broken: BrokenConnections,
): Server {
  const dispatch: RequestListener = (request, response) => {
    broken.carry(request, response);
    toOriginForm(request);
    for (const handle of handlers) if (handle(request, response)) return;
    if (lacksHost(request)) return refuse(response, new Refusal('request-invalid', noHost));
    framework(request, response);
  };
  const server = createServer({ requireHostHeader: false }, dispatch);
  // An expectation that is not understood may be ignored (RFC 9110, 10.1.1); Node would answer it by itself.
  server.on('checkExpectation', dispatch);
  server.on('connect', (request, socket) => {
    socket.on('error', () => socket.destroy());
    const refusal = new Refusal('http-method-unsupported', { internal: 'CONNECT: no proxy' });
    void broken.refuse(refusal, request.socket);
  });
  return server;
}

const noHost = { detail: 'Send the header `Host`.' };

/** HTTP/1.1 asks for the header of every request (RFC 9112, 3.2). */
export function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}

// What the target names counts, not the header, and from here on there is one form only.
function toOriginForm(request: IncomingMessage): void {
  const absolute = absoluteForm(request.url);
  if (absolute === undefined) return;
  request.url = absolute.path;
  request.headers.host = absolute.host;
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  const document = problemDocument(refusal, uuidv7());
  const body = JSON.stringify(document);
  response.writeHead(document.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
