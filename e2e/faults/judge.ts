import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkHistory } from './check-history.ts';
import type { Bounds, Evidence, Violation } from './evidence.ts';
import { gather } from './gather.ts';
import { provesSomething } from './proves-something.ts';
import type { Stage } from './stage.ts';
import type { Workload } from './workload.ts';

const DEFAULT_BOUNDS: Bounds = { revocationMs: 3_000, healingMs: 20_000 };
const SHOWN = 12;

/** Ends the load, gathers everything, and throws what the checker found, or that there was too little to find anything in, with the seed and the file that tell how it came about. */
export async function judge(
  stage: Stage,
  workload: Workload,
  bounds: Partial<Bounds> = {},
): Promise<Evidence> {
  const evidence = await gather(stage, workload, { ...DEFAULT_BOUNDS, ...bounds });
  const violations = [...checkHistory(evidence), ...provesSomething(evidence)];
  if (violations.length > 0) {
    keepLogs(stage);
    throw new Error(report(stage, violations));
  }
  stage.history.judgedWell();
  return evidence;
}

/** What the services said lies beside the history. */
function keepLogs({ cluster, history }: Stage): void {
  for (const service of cluster.services)
    writeFileSync(join(dirname(history.file), `${service}.log`), cluster.logOf(service));
}

function report({ seed, history }: Stage, violations: readonly Violation[]): string {
  const kinds = Object.entries(
    Object.groupBy(violations, ({ invariant, what }) => `${invariant}: ${what}`),
  ).map(([kind, found]) => `${found?.length ?? 0} × ${kind}`);
  const shown = violations
    .slice(0, SHOWN)
    .map(({ what, shownBy }) => `${what}\n${shownBy.map((each) => short(each)).join('\n')}`);
  return [
    `${violations.length} promises broken; FAULT_SEED=${seed}; history: ${history.file}`,
    ...kinds,
    ...shown,
  ].join('\n\n');
}

function short(value: unknown): string {
  return `  ${JSON.stringify(value).slice(0, 700)}`;
}
