import { classifyMessage } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import { parseJson, readBody } from '../../entrance/read-body.ts';
import type { Gate } from '../../gate.ts';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
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
      return accepts(exchange, 'text/event-stream');
    case 'DELETE':
      exchange.method = 'DELETE';
      return undefined;
    default:
      throw new Refusal('http-method-unsupported', { internal: `method ${request.method ?? ''}` });
  }
}

async function readPost(exchange: Exchange, { config }: Gate): Promise<void> {
  const { request } = exchange;
  accepts(exchange, 'application/json');
  accepts(exchange, 'text/event-stream');
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

function accepts({ request }: Exchange, type: string): void {
  if (request.headers.accept?.includes(type)) return;
  throw new Refusal('not-acceptable', { internal: `${type} is not accepted` });
}
