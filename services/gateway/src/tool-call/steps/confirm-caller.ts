import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** A body may be sent slowly, and its sender lose access meanwhile: what counts is who they are once all of it is there. */
export function confirmCaller(exchange: Exchange, { state, clock }: Gate): void {
  const { caller } = exchange;
  const doubt = state.doubt();
  if (doubt?.code === 'state-stale') throw new Refusal(doubt.code, { internal: doubt.why });
  if (caller === null) throw new Error('nobody was authenticated');
  const { principal, keyId } = caller;
  const current = state.directory.current(principal, keyId, clock.now());
  if (current === undefined) {
    throw new Refusal('token-refused', { internal: `key ${keyId} ended while the body was sent` });
  }
  exchange.caller = { principal: current, keyId };
}
