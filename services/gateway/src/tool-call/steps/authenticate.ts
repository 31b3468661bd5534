import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** Finds out who calls; on every request anew, whatever session it names. */
export function authenticate(exchange: Exchange, { state, clock }: Gate): void {
  const found = state.directory.authenticate(exchange.request.headers.authorization, clock.now());
  if (found.kind === 'refused') throw new Refusal(found.code, { internal: found.internal });
  exchange.caller = { principal: found.principal, keyId: found.keyId };
}
