import type { EventBus, StateReader } from '@gatehouse/event-sourcing';
import type { StateFold } from './state-fold.ts';
import { StateProgress } from './state-metrics.ts';
import { stateTopics } from './state-topics.ts';

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
  const progress = new StateProgress();
  const stopShowing = progress.show();
  const stop = async (): Promise<void> => {
    stopShowing();
    await Promise.all(readers.map((reader) => reader.stop()));
  };
  try {
    for (const { topic } of stateTopics) {
      const reader = await bus.readAll(topic, (message) => {
        fold.apply(message);
        progress.note(message);
        onFolded();
      });
      readers.push(reader);
      progress.follow(topic.name, reader);
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
