import type { Call, Fault } from '../history.ts';
import type { Evidence, TopicMessage, TrailRow, Violation } from '../evidence.ts';

const INVARIANT = 'recorded once';

/** Refused because nothing could be recorded: the one answer that may leave no record behind at any time. */
const UNRECORDED = 'evidence-unavailable';
/** What a gate that has just started says, and records as soon as it can record anything. */
const STARTING = 'not-ready';
const MAY_CONTRADICT = new Set([UNRECORDED, STARTING]);
/** Refusals of calls that may have reached the server behind the gate before they ended so. */
const AFTER_FORWARDING = new Set([
  'upstream-unavailable',
  'upstream-timeout',
  'upstream-garbled',
  'call-cut',
  'call-cancelled',
  'evidence-unavailable',
  'state-stale',
  'internal',
]);

/** Every answered call has one record of its outcome, every forwarded write its intent; nothing is recorded or written twice, or lost on the way. */
export function recordedOnce(evidence: Evidence): Violation[] {
  const byCall = groupBy(evidence.trail, ({ record }) => record.userAgent ?? '');
  const calls = evidence.entries.filter((entry) => entry.kind === 'call');
  const mayStillStart = startingIn(evidence, calls, byCall);
  return [
    ...calls.flatMap((call) => outcomesOf(call, byCall.get(call.id) ?? [], mayStillStart)),
    ...forwardingOf(evidence, calls, byCall),
    ...twiceIn(evidence.trail),
    ...lostBetween(evidence.raw, evidence.trail),
    ...(evidence.gaps === 0 ? [] : [broken(`the trail misses ${evidence.gaps} records`)]),
  ];
}

function outcomesOf(
  call: Call,
  rows: readonly TrailRow[],
  mayStillStart: (call: Call) => boolean,
): Violation[] {
  const outcomes = rows.filter(({ record }) => record.phase === 'outcome');
  if (outcomes.length > 1) return [broken('an outcome is recorded twice', call, ...outcomes)];
  const [outcome] = outcomes;
  if (outcome === undefined)
    return mustBeRecorded(call, mayStillStart)
      ? [broken('an answered call has no record', call, ...rows)]
      : [];
  const isOk = outcome.record.outcome === 'ok';
  if (call.outcome.kind === 'ok' && !isOk)
    return [broken('a call that went well is recorded as another', call, outcome)];
  if (call.outcome.kind === 'refused' && isOk && !MAY_CONTRADICT.has(call.outcome.code))
    return [broken('a call that was refused is recorded as ok', call, outcome)];
  return [];
}

function mustBeRecorded(call: Call, mayStillStart: (call: Call) => boolean): boolean {
  const { outcome } = call;
  switch (outcome.kind) {
    case 'ok':
      return true;
    case 'refused':
      if (outcome.code === STARTING) return !mayStillStart(call);
      return outcome.code !== UNRECORDED;
    case 'failed':
      return outcome.answered;
    case 'unknown':
      return false;
  }
}

/** Whether the gate may have had nowhere to record a call: it has, since it was last down, recorded none that ended before this one began. */
function startingIn(
  { entries }: Evidence,
  calls: readonly Call[],
  byCall: ReadonlyMap<string, readonly TrailRow[]>,
): (call: Call) => boolean {
  const faults = entries.filter((entry): entry is Fault => entry.kind === 'fault');
  const answered = calls.filter(({ id, outcome }) => outcome.kind !== 'unknown' && byCall.has(id));
  return (call) => {
    const end = call.completedAt ?? Number.POSITIVE_INFINITY;
    const downs = faults.flatMap(({ ended, invokedAt }) =>
      ended?.service === call.node && invokedAt <= end ? [ended.at] : [],
    );
    const startedAfter = Math.max(Number.NEGATIVE_INFINITY, ...downs);
    return !answered.some(
      ({ node, invokedAt, completedAt }) =>
        node === call.node &&
        invokedAt >= startedAfter &&
        (completedAt ?? Number.POSITIVE_INFINITY) < call.invokedAt,
    );
  };
}

function forwardingOf(
  evidence: Evidence,
  calls: readonly Call[],
  byCall: ReadonlyMap<string, readonly TrailRow[]>,
): Violation[] {
  const forwarded = groupBy(evidence.forwarded, ({ callId }) => callId);
  return calls
    .filter(({ method }) => method === 'tools/call')
    .flatMap((call) => {
      const times = forwarded.get(call.id)?.length ?? 0;
      const rows = byCall.get(call.id) ?? [];
      const intents = rows.filter(({ record }) => record.phase === 'intent');
      return [
        ...(call.effect === 'write' ? writtenOf(call, times, intents) : []),
        ...contradictedBy(call, times),
      ];
    });
}

function writtenOf(call: Call, times: number, intents: readonly TrailRow[]): Violation[] {
  const found: Violation[] = [];
  if (times > 1) found.push(broken('a write was forwarded twice', call));
  if (times > 0 && intents.length === 0)
    found.push(broken('a write was forwarded without an intent', call));
  if (intents.length > 1) found.push(broken('an intent is recorded twice', call, ...intents));
  return found;
}

function contradictedBy(call: Call, times: number): Violation[] {
  const { outcome } = call;
  if (outcome.kind === 'ok' && times === 0)
    return [broken('a call went well that nothing was forwarded of', call)];
  return outcome.kind === 'refused' && times > 0 && !AFTER_FORWARDING.has(outcome.code)
    ? [broken('a refused call was forwarded', call)]
    : [];
}

function twiceIn(trail: readonly TrailRow[]): Violation[] {
  const bySpool = groupBy(trail, ({ record }) => `${record.source}/${record.sequence}`);
  const byId = groupBy(trail, ({ record }) => record.id);
  const twice = [...bySpool.values(), ...byId.values()].filter((rows) => rows.length > 1);
  const early = [...groupBy(trail, ({ record }) => record.requestId).values()].filter(
    (rows) =>
      rows.findIndex(({ record }) => record.phase === 'outcome') <
      rows.findLastIndex(({ record }) => record.phase === 'intent'),
  );
  return [
    ...twice.map((rows) => broken('a record is in the trail twice', ...rows)),
    ...early
      .filter((rows) => rows.some(({ record }) => record.phase === 'outcome'))
      .map((rows) => broken('an outcome is recorded before its intent', ...rows)),
    ...trail
      .filter(({ index }, place) => index !== place)
      .slice(0, 1)
      .map((row) => broken('the numbers of the trail have a hole', row)),
  ];
}

function lostBetween(raw: readonly TopicMessage[], trail: readonly TrailRow[]): Violation[] {
  const published = new Set(raw.map(({ id }) => id));
  const stored = new Set(trail.map(({ record }) => record.id));
  return [
    ...raw
      .filter(({ id }) => !stored.has(id ?? ''))
      .map((message) => broken('a published record is not in the trail', message)),
    ...trail
      .filter(({ record }) => !published.has(record.id))
      .map((row) => broken('the trail has a record that no gate published', row)),
  ];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function broken(what: string, ...shownBy: readonly unknown[]): Violation {
  return { invariant: INVARIANT, what, shownBy };
}
