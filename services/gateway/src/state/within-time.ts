import { createContext, Script } from 'node:vm';

const place: { work: (() => unknown) | undefined } = { work: undefined };
const context = createContext(place);
const script = new Script('work()');
let watched = false;

/** Does the work, and throws when it takes longer: it is stopped wherever it is, in the middle of a regular expression too. */
export function withinTime<Result>(timeoutMs: number, work: () => Result): Result {
  place.work = work;
  watched = true;
  try {
    return script.runInContext(context, { timeout: timeoutMs }) as Result;
  } finally {
    watched = false;
    place.work = undefined;
  }
}

/** Thrown by work that must not be done without a deadline, and has none; it is to be done again with one. */
export class NeedsDeadline extends Error {}

/** Throws unless a deadline stands. */
export function requireDeadline(): void {
  if (!watched) throw new NeedsDeadline();
}
