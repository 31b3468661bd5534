import type { EventBus } from '@gatehouse/event-sourcing';
import {
  StateKeeper,
  type Clock,
  type Logger,
  type OnMalformedRequest,
  type RawHandler,
  type Readiness,
  type Worker,
} from '@gatehouse/platform';
import { createMcpHandler } from './entrance/mcp-handler.ts';
import { recordMalformed } from './entrance/record-malformed.ts';
import { UnderWay } from './entrance/under-way.ts';
import type { Evidence } from './evidence/evidence.ts';
import type { Gate } from './gate.ts';
import type { GatewayConfig } from './gateway.config.ts';
import { announceToolsWhenVisibilityChanges } from './session/announce-tools-when-visibility-changes.reactor.ts';
import { cutCallsWhenGrantVanishes } from './session/cut-calls-when-grant-vanishes.reactor.ts';
import {
  endSessionsWhenKeyRunsOut,
  endSessionsWhenPrincipalLosesAccess,
} from './session/end-sessions-when-principal-loses-access.reactor.ts';
import { cutStreamsWhenStateGrowsOld } from './session/cut-streams-when-state-grows-old.reactor.ts';
import { endIdleSessions, endSession } from './session/end-session.ts';
import { showTraffic } from './session/session-metrics.ts';
import { InMemorySessionStore } from './session/in-memory-session.store.ts';
import { GateState } from './state/gate-state.ts';
import { showState, StateProgress } from './state/state-metrics.ts';
import { stateTopics } from './state/state-topics.ts';
import { Visibility } from './state/visible-tools.ts';
import { closeUpstreamsWhenTheyMayNotBeUsed } from './upstream/close-upstreams-when-they-may-not-be-used.reactor.ts';
import { UpstreamPool } from './upstream/upstream-pool.ts';

export interface GateDeps {
  readonly bus: EventBus;
  readonly evidence: Evidence;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readiness: Readiness;
}

/** A gate: what it answers, and the worker that loads its state and ends it in good order. */
export interface OpenedGate {
  readonly handler: RawHandler;
  readonly onMalformedRequest: OnMalformedRequest;
  readonly worker: Worker;
  readonly state: GateState;
}

const SWEEP_MS = 500;
const GRACE_MS = 3_000;

/** Puts a gate together. It refuses everything until its worker has started and the state is loaded. */
export function openGate(config: GatewayConfig, deps: GateDeps): OpenedGate {
  const { evidence, clock, log } = deps;
  const state = new GateState({ ...config, clock, log });
  const gate: Gate = {
    config,
    state,
    visibility: new Visibility(state),
    sessions: new InMemorySessionStore(config),
    upstreams: new UpstreamPool({ ...config, log }),
    evidence,
    clock,
    log,
    underWay: new UnderWay(),
  };
  // In this order: who may not be here leaves first, then what may not go on is cut, then the rest is told.
  state.onChange(endSessionsWhenPrincipalLosesAccess(gate), 'gateway.end-sessions');
  state.onChange(cutCallsWhenGrantVanishes(gate), 'gateway.cut-calls');
  state.onChange(announceToolsWhenVisibilityChanges(gate), 'gateway.announce-tools');
  state.onChange(closeUpstreamsWhenTheyMayNotBeUsed(gate), 'gateway.close-upstreams');
  return {
    handler: createMcpHandler(gate),
    onMalformedRequest: recordMalformed(gate),
    worker: workerOf(gate, deps),
    state,
  };
}

function workerOf(gate: Gate, { bus, readiness }: GateDeps): Worker {
  const { state, log } = gate;
  const progress = () => new StateProgress();
  const keeper = new StateKeeper({ bus, topics: stateTopics, state, log, progress });
  const cutStreams = cutStreamsWhenStateGrowsOld(gate);
  readiness.waitWhile(() => gate.state.doubt()?.waitingFor);
  let sweeper: NodeJS.Timeout | undefined;
  let stopShowing: (() => void)[] = [];
  return {
    name: 'gate',
    async start() {
      // Before anything can fail: that it does not decide is what must be seen.
      for (const stop of stopShowing) stop();
      stopShowing = [showTraffic(gate.sessions, gate.underWay), showState(gate.state, gate.clock)];
      await keeper.start();
      sweeper = setInterval(() => {
        cutStreams();
        sweep(gate);
      }, SWEEP_MS);
    },
    async stop() {
      clearInterval(sweeper);
      gate.state.close();
      await keeper.stop();
      await gate.underWay.over(GRACE_MS);
      for (const session of gate.sessions.all()) {
        await endSession(gate.sessions, session, 'stopping', 'the gate is stopping');
      }
      await gate.underWay.over(GRACE_MS);
      await gate.upstreams.stop();
      for (const stop of stopShowing) stop();
    },
  };
}

function sweep(gate: Gate): void {
  endSessionsWhenKeyRunsOut(gate);
  endIdleSessions(gate.sessions, gate.config.sessionIdleMs);
  gate.upstreams.closeIdle();
}
