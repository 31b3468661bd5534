import type { Actor } from '@gatehouse/event-catalog';

/** What a decision may know beyond its command and state: who, when, and where new ids come from. Nothing is read from the world. */
export interface DecisionContext {
  readonly actor: Actor;
  readonly now: Date;
  readonly correlationId: string;
}

/** A consistency boundary: pure rules from a command and a state to events, and from events back to state. A refusal is thrown as a catalogued `Refusal`; no events means that nothing needed to change. */
export interface Decider<State, Command, Event> {
  readonly initialState: State;
  decide(command: Command, state: State, context: DecisionContext): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** Folds events into a state. */
export function fold<State, Event>(
  decider: Pick<Decider<State, never, Event>, 'initialState' | 'evolve'>,
  events: Iterable<Event>,
): State {
  let state = decider.initialState;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
