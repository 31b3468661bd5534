import type { Logger } from '@gatehouse/platform';
import type { GateState } from '../state/gate-state.ts';
import type { InMemorySessionStore } from './in-memory-session.store.ts';

/**
 * Ends open streams while the gate cannot know whose they may still be; by the clock, as nobody sends an event then. The
 * sessions stay, so that clients go on with them once the gate knows again. Asked every now and then.
 */
export function cutStreamsWhenStateGrowsOld({
  state,
  sessions,
  log,
}: {
  readonly state: GateState;
  readonly sessions: InMemorySessionStore;
  readonly log: Logger;
}): () => void {
  let isOld = false;
  return () => {
    const doubt = state.doubt();
    if (doubt?.code === 'state-stale') {
      if (!isOld) {
        log.error({ alarm: true, why: doubt.why }, 'the gate cannot know: everything is refused');
      }
      isOld = true;
      for (const session of sessions.all()) {
        if (session.stream === null) continue;
        session.stream = null;
        session.transport.closeStandaloneSSEStream();
      }
    } else if (isOld && doubt === undefined) {
      isOld = false;
      log.error({ alarm: false }, 'the gate knows again and serves');
    }
  };
}
