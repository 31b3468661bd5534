import type { AdminOperation, Call, Fault, Restriction } from '../history.ts';
import type { Bounds, Evidence, Violation } from '../evidence.ts';

const INVARIANT = 'revoked stays out';

/** What a gate says to whom a change has shut out. */
export const ACKNOWLEDGED: Record<Restriction['subject'], ReadonlySet<string>> = {
  key: new Set(['token-refused']),
  principal: new Set(['token-refused']),
  server: new Set(['tool-unknown', 'server-unknown']),
  assignment: new Set(['tool-unknown']),
  role: new Set(['tool-unknown']),
};
/** Which take from many at once: of these a caller may have lost more by a change that is about them alone. */
const OF_MANY: ReadonlySet<Restriction['subject']> = new Set(['server', 'role']);

interface Ban {
  readonly by: AdminOperation;
  readonly on: Restriction;
  /** When what it takes was last given back before: what went well until then may have been before another such change. */
  readonly since: number;
  /** When it may have begun to end: what was asked for from here on is not judged. */
  readonly until: number;
}

/** Once a gate has refused somebody for a revocation it never lets them in again, and no gate that hears of the bus lets them in for long. */
export function revokedStaysOut(evidence: Evidence): Violation[] {
  const { bounds } = evidence;
  const faults = evidence.entries.filter((entry) => entry.kind === 'fault');
  return bansAtNodes(evidence).flatMap(({ ban, node, first, known, judged }) => {
    const excuses = faults.filter(
      ({ hits }) => hits.includes(node) || hits.includes(ban.by.leaves.owner),
    );
    return [
      ...(isSettled(ban, excuses, bounds) ? afterAcknowledgement(ban, first, known) : []),
      ...afterBound(ban, judged, excuses, bounds),
    ];
  });
}

/** How a ban was met at one gate. */
interface BanAtNode {
  readonly ban: Ban;
  readonly node: string;
  readonly judged: readonly Call[];
  /** Of these, what had gone well there before. */
  readonly known: readonly Call[];
  /** The first of those by which the gate acknowledged it. */
  readonly first: Call | undefined;
}

/** The answered revocations of which a gate has shown that it knows, by what they take from. */
export function acknowledgedAt(
  evidence: Evidence,
): readonly { readonly node: string; readonly subject: Restriction['subject'] }[] {
  return bansAtNodes(evidence)
    .filter(({ ban, first }) => ban.by.outcome.kind === 'ok' && first !== undefined)
    .map(({ node, ban }) => ({ node, subject: ban.on.subject }));
}

function bansAtNodes(evidence: Evidence): BanAtNode[] {
  const { entries, nodes } = evidence;
  const calls = entries.filter((entry) => entry.kind === 'call');
  const bans = bansIn(evidence);
  // Who is shut out otherwise too may be refused for that: such refusals acknowledge nothing that is taken from many.
  const others = bans.filter(({ on }) => !OF_MANY.has(on.subject));
  const isOtherwiseOut = (call: Call): boolean =>
    others.some(({ on: { subject, of } }) => of === subjectOf(call)[subject]);
  return bans.flatMap((ban) =>
    nodes.flatMap((node) => {
      const meant = calls.filter((call) => call.node === node && isMeant(ban.on, call));
      const judged = meant.filter((call) => isUnder(ban, call));
      const telling = OF_MANY.has(ban.on.subject)
        ? judged.filter((call) => !isOtherwiseOut(call))
        : judged;
      return { ban, node, judged, ...acknowledgementOf(ban, meant, telling) };
    }),
  );
}

/** The revocations that came about: those that are in their owner's log, whatever was answered. */
function bansIn({ entries, logs }: Evidence): Ban[] {
  const operations = entries.filter((entry) => entry.kind === 'admin');
  return operations.flatMap((by) => {
    const { restricts: on, leaves } = by;
    const isMade = (logs[leaves.owner] ?? []).some(
      ({ type, data }) => type === leaves.type && data.includes(leaves.mark),
    );
    if (on === undefined || !isMade) return [];
    const restored = operations
      .filter(({ restores }) => restores?.subject === on.subject && restores.of === on.of)
      .map(({ invokedAt }) => invokedAt);
    const since = Math.max(-Infinity, ...restored.filter((at) => at < by.invokedAt));
    const until = Math.min(Infinity, ...restored.filter((at) => at >= by.invokedAt));
    return [{ by, on, since, until }];
  });
}

function subjectOf({ keyId, server, caller, role }: Call): Record<Restriction['subject'], unknown> {
  return { key: keyId, principal: caller, server, assignment: caller, role };
}

function isMeant({ subject, of, at }: Restriction, call: Call): boolean {
  return (
    subjectOf(call)[subject] === of &&
    (at === undefined || (call.server === at.server && call.tool === at.tool))
  );
}

function isUnder({ by, until }: Ban, call: Call): boolean {
  return call.invokedAt >= by.invokedAt && (call.completedAt ?? Number.POSITIVE_INFINITY) <= until;
}

// Who was never let in may be refused for another reason: only the refusal of what went well before tells.
function acknowledgementOf(
  { by, on, since }: Ban,
  meant: readonly Call[],
  judged: readonly Call[],
): Pick<BanAtNode, 'known' | 'first'> {
  const askedFor = ({ keyId, server, tool }: Call): string => JSON.stringify([keyId, server, tool]);
  const wentWell = new Set(
    meant
      .filter(({ outcome }) => outcome.kind === 'ok')
      .filter(({ invokedAt }) => invokedAt >= since && invokedAt < by.invokedAt)
      .map(askedFor),
  );
  const known = judged.filter((call) => wentWell.has(askedFor(call)));
  const first = known
    .filter(
      ({ outcome }) => outcome.kind === 'refused' && ACKNOWLEDGED[on.subject].has(outcome.code),
    )
    .toSorted((a, b) => endOf(a) - endOf(b))[0];
  return { known, first };
}

// A gate may lag by several changes at once: what it refuses for an earlier one it may let in for a moment in between.
function isSettled(
  { by, since }: Ban,
  faults: readonly Fault[],
  { revocationMs, healingMs }: Bounds,
): boolean {
  if (since === Number.NEGATIVE_INFINITY) return true;
  const isIll = faults.some(
    ({ invokedAt, completedAt }) =>
      invokedAt <= by.invokedAt && (completedAt ?? Infinity) + healingMs >= since,
  );
  return !isIll && by.invokedAt >= since + revocationMs;
}

function afterAcknowledgement(
  { by }: Ban,
  first: Call | undefined,
  known: readonly Call[],
): Violation[] {
  if (first === undefined) return [];
  return known
    .filter((call) => call.outcome.kind === 'ok' && call.invokedAt > endOf(first))
    .map((call) =>
      broken('allowed on a gate that had acknowledged the revocation', by, first, call),
    );
}

function endOf({ completedAt }: Call): number {
  return completedAt ?? Number.POSITIVE_INFINITY;
}

function afterBound(
  { by }: Ban,
  judged: readonly Call[],
  faults: readonly Fault[],
  bounds: Bounds,
): Violation[] {
  const { completedAt, outcome } = by;
  if (outcome.kind !== 'ok' || completedAt === null) return [];
  return judged
    .filter((call) => call.outcome.kind === 'ok')
    .filter((call) => call.invokedAt > latest(completedAt, call, faults, bounds))
    .map((call) => broken('allowed long after the revocation was answered', by, call));
}

/** Until when a call may still be let in. A fault in between puts that off until it is healed. */
function latest(
  answeredAt: number,
  { invokedAt }: Call,
  faults: readonly Fault[],
  { revocationMs, healingMs }: Bounds,
): number {
  const between = faults.filter(
    (fault) => fault.invokedAt <= invokedAt && (fault.completedAt ?? Infinity) >= answeredAt,
  );
  const healed = between.map((fault) => (fault.completedAt ?? Infinity) + healingMs);
  return Math.max(answeredAt + revocationMs, ...healed);
}

function broken(what: string, ...shownBy: readonly unknown[]): Violation {
  return { invariant: INVARIANT, what, shownBy };
}
