import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** Nothing is where an address is missed by a slash or a letter; but whoever tried is written down. */
export function requireEndpoint(exchange: Exchange, { state, clock }: Gate): void {
  const { endpoint, request } = exchange;
  if (endpoint.kind !== 'nowhere') return;
  const found = state.directory.authenticate(request.headers.authorization, clock.now());
  if (found.kind !== 'refused') {
    exchange.caller = { principal: found.principal, keyId: found.keyId };
  }
  throw new Refusal('not-found', { internal: `nothing is at ${endpoint.path.slice(0, 200)}` });
}
