import { atTheServer, type Stage } from '../journeys/harness/rights-in-use.ts';
import {
  endRight,
  wayNames,
  waysToEnd,
  type WayToEnd,
} from '../journeys/harness/rights-taken-away.ts';
import type { CommitClock } from './commit-clock.ts';

/** When an effect was there: a moment for each gateway. All moments are milliseconds of one clock. */
export interface Sample {
  readonly asked: number;
  readonly answered: number;
  /** Undefined where the database does not keep it. */
  readonly committed: number | undefined;
  readonly there: readonly number[];
}

/** What one change did: a sample of each effect. */
export type Effects = Readonly<Record<string, Sample>>;

/** A kind of change that takes a right away: `once` makes one while the right is being used, and measures it. */
export interface Change {
  readonly name: string;
  readonly once: () => Promise<Effects>;
}

/** Every kind of change that is measured. */
export async function changesOn(stage: Stage, clock: CommitClock): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const name of wayNames) {
    const way = await waysToEnd[name](stage);
    changes.push({ name, once: () => measure(stage, clock, way) });
  }
  return changes;
}

async function measure(stage: Stage, clock: CommitClock, way: WayToEnd): Promise<Effects> {
  const holder = await way.nextHolder();
  const inUse = await stage.use(holder.token, atTheServer);
  const { asked, answered, calls, streams } = await endRight(way, holder, inUse);
  const committed = await clock.committedLast(way.owner);
  await inUse.close();
  await holder.restore?.();
  const sample = (there: readonly number[]): Sample => ({ asked, answered, committed, there });
  return {
    ...(streams === undefined ? {} : { 'stream cut': sample(streams) }),
    'call cut': sample(calls),
  };
}
