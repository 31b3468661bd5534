import type { DomainEvent } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { fold, type Decider, type DecisionContext } from './decider.ts';
import { ConcurrencyError, type EventStore, type EventToAppend } from './event-store.ts';

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
    const history = await store.readStream(stream);
    const before = fold(decider, history as Iterable<unknown> as Iterable<Event>);
    const events = decider.decide(command, before, context);
    const last = history.at(-1);
    if (events.length === 0) {
      return {
        stream,
        version: last?.version ?? 0,
        position: last?.position ?? 0,
        state: before,
        events,
      };
    }
    try {
      const stamp = {
        actor: context.actor,
        occurredAt: context.now.toISOString(),
        correlationId: context.correlationId,
      };
      const receipt = await store.append(
        stream,
        history.length,
        events.map((event): EventToAppend => ({ ...event, ...stamp })),
      );
      return {
        stream,
        ...receipt,
        state: events.reduce((state, event) => decider.evolve(state, event), before),
        events,
      };
    } catch (error) {
      if (!(error instanceof ConcurrencyError)) throw error;
      if (attempt === ATTEMPTS) throw new Refusal('version-conflict', { cause: error });
    }
  }
}
