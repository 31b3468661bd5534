import { admitted, type Answer, type Headers } from './answer.ts';
import type { Exchange } from './exchange.ts';

const NONE: Headers = {};
const PREFLIGHT: Headers = {
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers':
    'Authorization, Content-Type, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID',
  'access-control-max-age': '600',
};

/** What lets the page of an invited origin read the answer. */
export function corsHeaders({ request }: Exchange, allowedOrigins: readonly string[]): Headers {
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return NONE;
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
    vary: 'Origin',
  };
}

/** The answer to a browser that asks, without credentials, whether a page may call; undefined for all else. */
export function preflightAnswer(
  exchange: Exchange,
  allowedOrigins: readonly string[],
): Answer | undefined {
  const { method, headers } = exchange.request;
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined)
    return undefined;
  if (!allowedOrigins.includes(headers.origin ?? '')) return undefined;
  exchange.method = 'OPTIONS';
  return { kind: 'status', status: 204, headers: PREFLIGHT, ending: admitted };
}
