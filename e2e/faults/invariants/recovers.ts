import type { Evidence, Violation } from '../evidence.ts';

/** After each fault every gate lets calls through again within the bound, and an administrator's change succeeds. */
export function recovers({ entries, nodes, bounds: { healingMs } }: Evidence): Violation[] {
  const faults = entries.filter((entry) => entry.kind === 'fault');
  const wells = entries.filter((entry) => entry.kind !== 'fault' && entry.outcome.kind === 'ok');
  return faults.flatMap((fault) => {
    const { completedAt } = fault;
    if (completedAt === null) return [broken(`${fault.what} was never healed`, fault)];
    const soon = wells.filter(
      ({ invokedAt }) => invokedAt >= completedAt && invokedAt <= completedAt + healingMs,
    );
    const silent = nodes.filter(
      (node) =>
        !soon.some((entry) => entry.kind === 'call' && entry.node === node && entry.tool !== null),
    );
    return [
      ...silent.map((node) => broken(`no call went well on ${node} after ${fault.what}`, fault)),
      ...(soon.some((entry) => entry.kind === 'admin')
        ? []
        : [broken(`no change was made after ${fault.what}`, fault)]),
    ];
  });
}

function broken(what: string, ...shownBy: readonly unknown[]): Violation {
  return { invariant: 'recovers', what, shownBy };
}
