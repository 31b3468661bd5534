import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** Until all state has been folded, nobody can be told apart from nobody: everything is refused. */
export function checkReadiness(_exchange: Exchange, { state }: Gate): void {
  if (!state.ready) throw new Refusal('not-ready', { internal: 'state is not loaded' });
}
