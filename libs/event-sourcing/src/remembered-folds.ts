import type { Decider } from './decider.ts';
import type { EventStore } from './event-store.ts';

/** A stream as it was folded up to a version. */
export interface Folded<State> {
  readonly state: State;
  readonly version: number;
  readonly position: number;
}

// A stream that is shorter is read as fast as it is looked up; and few streams are long.
const LONG = 64;
const MOST = 256;

type Memory = Map<string, Folded<unknown> & { readonly decider: unknown }>;

const memories = new WeakMap<EventStore, Memory>();

/** What is remembered of a long stream, so that a command reads only what was appended since; nothing is decided on it that the version check of the append would not catch. */
export function recall<State>(
  store: EventStore,
  decider: Pick<Decider<State, never, never>, 'initialState'>,
  stream: string,
): Folded<State> {
  const found = memories.get(store)?.get(stream);
  if (found === undefined || found.decider !== decider)
    return { state: decider.initialState, version: 0, position: 0 };
  return found as Folded<unknown> as Folded<State>;
}

/** Remembers a stream where it is long; of many, those used last. */
export function remember<State>(
  store: EventStore,
  decider: unknown,
  stream: string,
  folded: Folded<State>,
): void {
  if (folded.version < LONG) return;
  const memory: Memory = memories.get(store) ?? new Map();
  memories.set(store, memory);
  memory.delete(stream);
  memory.set(stream, { ...folded, decider });
  const [oldest] = memory.keys();
  if (memory.size > MOST && oldest !== undefined) memory.delete(oldest);
}

/** The next command reads the stream from its beginning. */
export function forget(store: EventStore, stream: string): void {
  memories.get(store)?.delete(stream);
}
