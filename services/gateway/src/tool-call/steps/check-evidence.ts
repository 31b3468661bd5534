import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

/** What could not be recorded at its end is not begun. */
export function checkEvidence(_exchange: Exchange, { evidence }: Gate): void {
  evidence.refuseIfBroken();
}
