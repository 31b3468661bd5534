import type { Actor } from '@gatehouse/event-catalog';
import type { Management } from '@gatehouse/policy-engine';
import { Refusal } from '@gatehouse/problem-catalog';

/** Who is asking, and what their roles let them do to the gate itself. */
export interface Caller {
  readonly actor: Actor & { readonly kind: 'user' | 'agent' };
  readonly roles: readonly string[];
  readonly management: Management;
}

/** What every resolver is handed. `caller` is undefined only where a request was refused before it could be read. */
export interface RequestContext {
  readonly caller: Caller | undefined;
  readonly correlationId: string;
}

/** The caller, whom admission has established; nobody else gets any further. */
export function callerOf({ caller }: RequestContext): Caller {
  if (caller === undefined) throw new Refusal('authentication-required');
  return caller;
}
