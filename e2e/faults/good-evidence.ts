import type { AuditRecord } from '@gatehouse/event-catalog';
import type { Evidence, LoggedEvent, TopicMessage, TrailRow } from './evidence.ts';
import type { AdminOperation, Call, Fault, Outcome } from './history.ts';

/** A call by hand: of a steady caller, on gateway-1, answered within five milliseconds. */
export function callOf(id: string, at: number, given: Partial<Call> = {}): Call {
  return {
    kind: 'call',
    id,
    node: 'gateway-1',
    caller: 'writer',
    role: 'writer',
    keyId: 'key-1',
    method: 'tools/call',
    server: 'steady',
    tool: given.effect === 'write' ? 'put' : 'look',
    effect: 'read',
    invokedAt: at,
    completedAt: at + 5,
    outcome: { kind: 'ok' },
    ...given,
  };
}

export function refused(code: string, status = 200): Outcome {
  return { kind: 'refused', code, status };
}

/** A record of a call, as far as the checker reads it. */
export function rowOf(
  index: number,
  call: string,
  given: Partial<Pick<AuditRecord, 'phase' | 'outcome' | 'id'>> = {},
): TrailRow {
  const record = {
    phase: 'outcome',
    id: `record-${index}`,
    requestId: `request of ${call}`,
    source: 'spool-1',
    sequence: index + 1,
    outcome: 'ok',
    userAgent: call,
    ...given,
  } satisfies Partial<AuditRecord>;
  return { index, record: record as unknown as AuditRecord };
}

export function messageOf(offset: number, given: Partial<TopicMessage> = {}): TopicMessage {
  return {
    partition: 0,
    offset,
    key: 'key',
    position: offset + 1,
    id: null,
    value: `v${offset}`,
    ...given,
  };
}

const revocation: AdminOperation = {
  kind: 'admin',
  id: 'op-1',
  action: 'revoke key',
  entity: 'mortal',
  restricts: { subject: 'key', of: 'key-2' },
  leaves: { owner: 'identity', type: 'identity.key-revoked.v1', mark: 'op-1' },
  invokedAt: 2_000,
  completedAt: 2_050,
  outcome: { kind: 'ok' },
};

const resumption: AdminOperation = {
  kind: 'admin',
  id: 'op-2',
  action: 'resume server',
  entity: 'shaky',
  restores: { subject: 'server', of: 'shaky' },
  leaves: { owner: 'registry', type: 'registry.server-resumed.v1', mark: '"shaky"' },
  invokedAt: 31_000,
  completedAt: 31_050,
  outcome: { kind: 'ok' },
};

const outage: Fault = {
  kind: 'fault',
  id: 'fault-1',
  what: 'Kafka killed',
  hits: ['gateway-1', 'gateway-2', 'identity', 'policy', 'registry'],
  blinded: ['gateway-1', 'gateway-2'],
  invokedAt: 10_000,
  completedAt: 30_000,
};

const mortal = { caller: 'mortal', role: 'worker', keyId: 'key-2' };
const calls: readonly Call[] = [
  callOf('c0', 1_000, { effect: 'write' }),
  callOf('c1', 1_100, mortal),
  callOf('c2', 2_020, mortal),
  callOf('c3', 2_100, { ...mortal, outcome: refused('token-refused', 401) }),
  callOf('c4', 9_000, {
    effect: 'write',
    completedAt: 24_000,
    outcome: { kind: 'unknown', why: 'reset' },
  }),
  callOf('c5', 12_000, { outcome: { kind: 'failed', why: 'ECONNREFUSED', answered: false } }),
  callOf('c6', 31_500),
  callOf('c7', 31_600, { node: 'gateway-2' }),
];

const trail: readonly TrailRow[] = [
  rowOf(0, 'c0', { phase: 'intent', outcome: 'unknown' }),
  rowOf(1, 'c0'),
  rowOf(2, 'c1'),
  rowOf(3, 'c2'),
  rowOf(4, 'c3', { outcome: 'refused' }),
  rowOf(5, 'c4', { phase: 'intent', outcome: 'unknown' }),
  rowOf(6, 'c6'),
  rowOf(7, 'c7'),
];

function logged(position: number, type: string, data: string): LoggedEvent {
  return { position, stream: `s${position}`, version: 1, id: `e${position}`, type, data };
}

const identity: readonly LoggedEvent[] = [
  logged(1, 'identity.key-issued.v1', '{}'),
  logged(2, 'identity.key-revoked.v1', '{"keyId":"key-2","reason":"op-1"}'),
];
const registry: readonly LoggedEvent[] = [
  logged(1, 'registry.server-resumed.v1', '{"slug":"shaky"}'),
];

function published(log: readonly LoggedEvent[]): TopicMessage[] {
  return log.map(({ id, position, stream }, offset) =>
    messageOf(offset, { id, position, key: stream }),
  );
}

/** What was gathered of a short run in which every promise was kept: some calls, a revocation, an outage, one call that nobody knows the end of. */
export const goodEvidence: Evidence = {
  entries: [...calls, revocation, resumption, outage],
  nodes: ['gateway-1', 'gateway-2'],
  forwarded: ['c0', 'c1', 'c2', 'c4', 'c6', 'c7'].map((callId) => ({
    callId,
    tool: 'look',
    at: 0,
  })),
  trail,
  gaps: 0,
  raw: trail.map(({ record }, offset) => messageOf(offset, { id: record.id, key: 'spool-1' })),
  logs: { identity, registry },
  topics: {
    // A relay that was killed repeats its last batch, with more behind it.
    identity: [
      ...published(identity),
      ...published(identity).map((each) => ({ ...each, offset: each.offset + 2 })),
    ],
    registry: published(registry),
  },
  states: {
    principals: [messageOf(0, { position: 1 }), messageOf(1, { position: 2, value: null })],
  },
  foldings: [{ service: 'admin', kept: { agent: ['a', 'b'] }, folded: { agent: ['a', 'b'] } }],
  sights: [{ node: 'gateway-1', caller: 'writer', shown: ['steady__look'], due: ['steady__look'] }],
  bounds: { revocationMs: 1_000, healingMs: 5_000, blindMs: 4_000 },
};
