import type { Clock, Logger } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import type { CallingPrincipal } from '@gatehouse/principal-directory';
import type { GateState } from '../state/gate-state.ts';
import type { StateChange } from '../state/state-change.ts';
import { endSession } from './end-session.ts';
import type { InMemorySessionStore } from './in-memory-session.store.ts';
import type { Session } from './session.ts';

export interface RevocationDeps {
  readonly state: GateState;
  readonly sessions: InMemorySessionStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ends the sessions of principals whose access ended, and cuts what was begun with a key that ended. */
export function endSessionsWhenPrincipalLosesAccess(deps: RevocationDeps) {
  return ({ principals }: StateChange): number => {
    let touched = 0;
    for (const key of principals) {
      for (const session of deps.sessions.of(key)) {
        if (endWhatLostItsKey(deps, session)) touched += 1;
      }
    }
    return touched;
  };
}

/** The same by the clock: keys also end on their own, and nobody sends an event then. */
export function endSessionsWhenKeyRunsOut(deps: RevocationDeps): void {
  for (const session of deps.sessions.all()) endWhatLostItsKey(deps, session);
}

/** Whether anything of the session ended. */
function endWhatLostItsKey(deps: RevocationDeps, session: Session): boolean {
  const now = deps.clock.now();
  const current = (keyId: string): CallingPrincipal | undefined =>
    deps.state.directory.current(session.principal, keyId, now);
  if (current(session.keyId) === undefined) {
    const why = `key ${session.keyId} of ${session.principal.kind} ${session.principal.id} gives no access any more`;
    deps.log.info({ session: session.ref, why }, 'session ended');
    void endSession(deps.sessions, session, 'revoked', why);
    return true;
  }
  let ended = false;
  // The session lives on with another key; what the ended one began does not.
  if (session.stream !== null && current(session.stream.keyId) === undefined) {
    session.stream = null;
    session.transport.closeStandaloneSSEStream();
    ended = true;
  }
  for (const call of session.calls.values()) {
    if (current(call.caller.keyId) !== undefined) continue;
    call.end(new Refusal('call-cut', { internal: `key ${call.caller.keyId} ended` }));
    ended = true;
  }
  return ended;
}
