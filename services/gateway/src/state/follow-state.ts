import type { EventBus, StateReader } from '@gatehouse/event-sourcing';
import { stateTopics } from './heard-beats.ts';
import type { StateFold } from './state-fold.ts';

/** A reading of the state topics. */
export interface Following {
  /** Resolves, with the reason, when a reader cannot go on where it was. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

/** Folds the three state topics from the oldest message on and keeps following; asks to be looked at after each step. */
export async function followState(
  bus: EventBus,
  fold: StateFold,
  onFolded: () => void,
): Promise<Following> {
  const readers: StateReader[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.stop()));
  };
  try {
    for (const { topic } of stateTopics) {
      const reader = await bus.readAll(topic, (message) => {
        fold.apply(message);
        onFolded();
      });
      readers.push(reader);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  void Promise.all(readers.map((reader) => reader.caughtUp)).then(() => {
    fold.markCaughtUp();
    onFolded();
  });
  return { stop, lost: Promise.race(readers.map((reader) => reader.lost)) };
}
