import { topics } from '@gatehouse/event-catalog';
import type { EventBus, StateReader } from '@gatehouse/event-sourcing';
import type { GateState } from './gate-state.ts';

const stateTopics = [topics.principalsState, topics.policyState, topics.catalogueState];

/** Folds the three state topics from the oldest message on and keeps following. `caughtUp` is the readiness barrier. */
export async function followState(
  bus: EventBus,
  state: GateState,
): Promise<{ stop(): Promise<void>; readonly caughtUp: Promise<void> }> {
  const readers: StateReader[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.stop()));
  };
  try {
    for (const topic of stateTopics) {
      readers.push(await bus.readAll(topic, (message) => state.apply(message)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const caughtUp = Promise.all(readers.map((reader) => reader.caughtUp)).then(() =>
    state.markCaughtUp(),
  );
  return { stop, caughtUp };
}
