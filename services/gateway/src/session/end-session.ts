import { Refusal } from '@gatehouse/problem-catalog';
import type { InMemorySessionStore } from './in-memory-session.store.ts';
import type { Session } from './session.ts';
import { countEnded, type EndCause } from './session-metrics.ts';

/** Ends a session: what it has under way is cut, its streams close, its id is unknown from now on. */
export async function endSession(
  sessions: InMemorySessionStore,
  session: Session,
  cause: EndCause,
  why: string,
): Promise<void> {
  if (sessions.remove(session)) countEnded(cause);
  for (const call of session.calls.values()) call.end(new Refusal('call-cut', { internal: why }));
  session.stream = null;
  await session.transport.close();
}

/** Ends the sessions in which nothing has gone on for a while. */
export function endIdleSessions(sessions: InMemorySessionStore, idleMs: number): void {
  const before = performance.now() - idleMs;
  for (const session of sessions.all()) {
    if (session.quiet && session.lastSeenAt < before) {
      void endSession(sessions, session, 'idle', 'nothing went on in the session');
    }
  }
}
