import type { StateChange } from '../state/state-change.ts';
import type { InMemorySessionStore } from './in-memory-session.store.ts';
import type { Session } from './session.ts';

/** The sessions whose rights a change may touch: all of them, unless it is about principals only. */
export function* sessionsTouchedBy(
  change: StateChange,
  sessions: InMemorySessionStore,
): Generator<Session> {
  if (change.policy || change.servers.size > 0) {
    yield* sessions.all();
    return;
  }
  for (const key of change.principals) yield* sessions.of(key);
}
