import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { Decider } from './decider.ts';
import type { EventStore } from './event-store.ts';

/** A stream folded: its state, and where it and the log were at its last event; 0 where it does not exist. */
export interface Folded<State> {
  readonly state: State;
  readonly version: number;
  readonly position: number;
}

/** A state, the last event in it, and what is still to be folded into it. */
interface Part<State> {
  readonly state: State;
  readonly last?: RecordedEvent;
  readonly since: readonly RecordedEvent[];
}

interface Remembered {
  readonly decider: unknown;
  readonly state: unknown;
  readonly version: number;
  readonly lastId: string;
}

// A stream that is shorter is read as fast as it is looked up; and few streams are long.
const LONG = 64;
const MOST = 256;

const memories = new WeakMap<EventStore, Map<string, Remembered>>();

/** Folds a stream as its log has it now. Of a long one it reads only what was appended since the last time, and one event to know the log by. */
export async function foldStream<State, Event>(
  store: EventStore,
  decider: Pick<Decider<State, never, Event>, 'initialState' | 'evolve'>,
  stream: string,
): Promise<Folded<State>> {
  const part: Part<State> = (await recall<State>(store, decider, stream)) ?? {
    state: decider.initialState,
    since: await store.readStream(stream),
  };
  let { state } = part;
  for (const event of part.since as Iterable<unknown> as Iterable<Event>)
    state = decider.evolve(state, event);
  const last = part.since.at(-1) ?? part.last;
  if (last === undefined) return { state, version: 0, position: 0 };
  const { version, position, id } = last;
  remember(store, stream, { decider, state, version, lastId: id });
  return { state, version, position };
}

// What is remembered may be of a log that is no more: a replica that lagged took over, or a backup was brought back. The
// same event at the same version says that all before it is the same too, for nothing is ever changed within a log.
async function recall<State>(
  store: EventStore,
  decider: unknown,
  stream: string,
): Promise<Part<State> | undefined> {
  const known = memories.get(store)?.get(stream);
  if (known === undefined || known.decider !== decider) return undefined;
  const [last, ...since] = await store.readStream(stream, known.version - 1);
  return last?.id === known.lastId ? { state: known.state as State, last, since } : undefined;
}

/** Remembers a stream where it is long; of many, those used last. */
function remember(store: EventStore, stream: string, folded: Remembered): void {
  const memory = memories.get(store) ?? new Map<string, Remembered>();
  memories.set(store, memory);
  memory.delete(stream);
  if (folded.version >= LONG) memory.set(stream, folded);
  const [oldest] = memory.keys();
  if (memory.size > MOST && oldest !== undefined) memory.delete(oldest);
}
