import { counter, gauge } from '@gatehouse/platform';
import type { UnderWay } from '../entrance/under-way.ts';
import type { InMemorySessionStore } from './in-memory-session.store.ts';

const service = 'gateway';
const ended = counter({
  name: 'gatehouse_gateway_sessions_ended_total',
  help: 'Sessions that ended, by cause; `revoked` are those that were cut, as their principal or key lost access.',
  service,
  labels: ['cause'],
});
const open = gauge({
  name: 'gatehouse_gateway_sessions',
  help: 'MCP sessions that are open on this node.',
  service,
});
const streams = gauge({
  name: 'gatehouse_gateway_streams',
  help: 'Sessions whose client listens on a stream of its own.',
  service,
});
const underWayNow = gauge({
  name: 'gatehouse_gateway_requests_in_flight',
  help: 'Requests to the gate that have not been answered yet.',
  service,
});

/** Why a session ended. */
export type EndCause = 'revoked' | 'idle' | 'client' | 'unrecorded' | 'stopping';

// Each is there from the start: the first cut is the one that must be seen.
for (const cause of ['revoked', 'idle', 'client', 'unrecorded', 'stopping'] satisfies EndCause[])
  ended.inc({ cause }, 0);

/** Counts a session that has ended. */
export function countEnded(cause: EndCause): void {
  ended.inc({ cause });
}

/** Shows what goes on in the gate just now. */
export function showTraffic(sessions: InMemorySessionStore, underWay: UnderWay): () => void {
  const stops = [
    open.read(() => [[{}, sessions.size]]),
    streams.read(() => [[{}, sessions.streams]]),
    underWayNow.read(() => [[{}, underWay.count]]),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
