import type { Clock, Logger } from '@gatehouse/platform';
import type { UnderWay } from './entrance/under-way.ts';
import type { Evidence } from './evidence/evidence.ts';
import type { GatewayConfig } from './gateway.config.ts';
import type { InMemorySessionStore } from './session/in-memory-session.store.ts';
import type { GateState } from './state/gate-state.ts';
import type { Visibility } from './state/visible-tools.ts';
import type { UpstreamPool } from './upstream/upstream-pool.ts';

/** What the steps of a request work with. */
export interface Gate {
  readonly config: GatewayConfig;
  readonly state: GateState;
  readonly visibility: Visibility;
  readonly sessions: InMemorySessionStore;
  readonly upstreams: UpstreamPool;
  readonly evidence: Evidence;
  readonly clock: Clock;
  readonly log: Logger;
  readonly underWay: UnderWay;
}
