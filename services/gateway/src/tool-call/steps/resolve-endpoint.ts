import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';
import { factsOf } from './resolve-tool.ts';

/** A server of which the caller may see nothing is no server: it answers as one that never was. */
export function resolveEndpoint(exchange: Exchange, { visibility }: Gate): void {
  const { endpoint, caller, message } = exchange;
  if (endpoint.kind !== 'server' || caller === null) return;
  if (visibility.of(caller.principal, endpoint).count > 0) return;
  // What was tried is written down all the same.
  if (message?.kind === 'request') exchange.tool = factsOf(message, endpoint);
  throw new Refusal('server-unknown', {
    internal: `the caller sees no tool of server ${endpoint.slug.slice(0, 64)}`,
  });
}
