import type { GateState } from '../state/gate-state.ts';
import type { StateChange } from '../state/state-change.ts';
import type { InMemorySessionStore } from '../session/in-memory-session.store.ts';
import type { UpstreamPool } from './upstream-pool.ts';

export interface ClosingDeps {
  readonly state: GateState;
  readonly sessions: InMemorySessionStore;
  readonly upstreams: UpstreamPool;
}

/** Closes connections to servers that left service or moved, and those of principals who have no session left. */
export function closeUpstreamsWhenTheyMayNotBeUsed({ state, sessions, upstreams }: ClosingDeps) {
  return ({ servers, principals }: StateChange): number =>
    upstreams.retireWhere(({ slug, principal, server }) => {
      if (principals.has(principal) && sessions.of(principal).size === 0) return true;
      if (!servers.has(slug)) return false;
      const current = state.servers.get(slug);
      if (current?.inService !== true) return true;
      return JSON.stringify(current.transport) !== JSON.stringify(server.transport);
    });
}
