import { classifyMessage } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import { parseJson, readBody } from '../../entrance/read-body.ts';
import type { Gate } from '../../gate.ts';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
const JSON_ANSWER = 'application/json';
const EVENT_STREAM = 'text/event-stream';
// What is written down of a name that a caller makes up.
const MAX_METHOD_LENGTH = 128;

/** Reads what the request says: for POST one JSON-RPC message, for GET and DELETE nothing. */
export function readMessage(exchange: Exchange, gate: Gate): void | Promise<void> {
  const { request } = exchange;
  switch (request.method) {
    case 'POST':
      return readPost(exchange, gate);
    case 'GET':
      exchange.method = 'GET';
      return accepts(exchange, [EVENT_STREAM]);
    case 'DELETE':
      exchange.method = 'DELETE';
      return undefined;
    default:
      throw new Refusal('http-method-unsupported', { internal: `method ${request.method ?? ''}` });
  }
}

async function readPost(exchange: Exchange, { config }: Gate): Promise<void> {
  const { request } = exchange;
  accepts(exchange, [JSON_ANSWER, EVENT_STREAM]);
  const encoding = exchange.header('content-encoding') ?? 'identity';
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '') || encoding !== 'identity') {
    const internal = `content type ${request.headers['content-type'] ?? 'none'}, encoding ${encoding}`;
    throw new Refusal('content-type-unsupported', { internal: internal.slice(0, 200) });
  }
  const message = classifyMessage(parseJson(await readBody(request, config.bodyLimitBytes)));
  if (message.kind === 'batch') throw new Refusal('batch-unsupported');
  if (message.kind === 'malformed') {
    exchange.rpcId = message.id;
    throw new Refusal('message-malformed', {
      detail: `No JSON-RPC 2.0 message: ${message.because}.`,
    });
  }
  exchange.message = message;
  exchange.method =
    message.kind === 'response' ? 'response' : message.method.slice(0, MAX_METHOD_LENGTH);
  if (message.kind === 'request') exchange.rpcId = message.id;
}

// Both by name, as the protocol demands and its SDK asks for too: a range such as */* does not say that a stream is understood.
function accepts({ request }: Exchange, types: readonly string[]): void {
  if (types.every((type) => request.headers.accept?.includes(type))) return;
  const named = types.join(' and ');
  throw new Refusal('not-acceptable', {
    detail: `The header Accept must name ${types.length > 1 ? `both ${named}` : named}.`,
    internal: `Accept does not name ${types.length > 1 ? `both ${named}` : named}`,
  });
}
