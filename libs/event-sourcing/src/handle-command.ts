import type { DomainEvent } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Decider, DecisionContext } from './decider.ts';
import { ConcurrencyError, type EventStore, type EventToAppend } from './event-store.ts';
import { foldStream } from './remembered-folds.ts';

const ATTEMPTS = 4;

/** What a command did: the events it appended (perhaps none), the state after them, and where that left stream and log. */
export interface CommandOutcome<State, Event> {
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly state: State;
  readonly events: readonly Event[];
}

/** Load, decide, append; decided afresh when somebody else appended first, at most four times, then `version-conflict`. */
export async function handleCommand<State, Command, Event extends DomainEvent>(
  store: EventStore,
  decider: Decider<State, Command, Event>,
  stream: string,
  command: Command,
  context: DecisionContext,
): Promise<CommandOutcome<State, Event>> {
  for (let attempt = 1; ; attempt += 1) {
    const { state, version, position } = await foldStream(store, decider, stream);
    const events = decider.decide(command, state, context);
    if (events.length === 0) return { stream, version, position, state, events };
    try {
      const stamp = {
        actor: context.actor,
        occurredAt: context.now.toISOString(),
        correlationId: context.correlationId,
      };
      const receipt = await store.append(
        stream,
        version,
        events.map((event): EventToAppend => ({ ...event, ...stamp })),
      );
      return {
        stream,
        ...receipt,
        state: events.reduce((after, event) => decider.evolve(after, event), state),
        events,
      };
    } catch (error) {
      if (!(error instanceof ConcurrencyError)) throw error;
      if (attempt === ATTEMPTS) throw new Refusal('version-conflict', { cause: error });
    }
  }
}
