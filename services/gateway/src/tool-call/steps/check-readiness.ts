import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** Before all state has been folded, nobody can be told apart from nobody; once it may be old, the revoked cannot from the others: everything is refused. */
export function checkReadiness(_exchange: Exchange, { state }: Gate): void {
  const doubt = state.doubt();
  if (doubt !== undefined) throw new Refusal(doubt.code, { internal: doubt.why });
}
