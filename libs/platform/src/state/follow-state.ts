import type { EventBus, IncomingMessage, StateReader } from '@gatehouse/event-sourcing';
import type { StateTopic } from './heard-beats.ts';

/** A reading of state topics. */
export interface Following {
  /** Resolves once all that was there at the start was handed over. */
  readonly caughtUp: Promise<void>;
  /** Resolves, with the reason, when a reader cannot go on where it was. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

/** Whoever shows how far a reading has come. */
export interface ReadingProgress {
  follow(topic: string, reader: StateReader): void;
  note(message: IncomingMessage): void;
  end(): void;
}

/** Hands over state topics from the oldest message on, and follows them. Where one cannot be read, none is. */
export async function followState(
  bus: EventBus,
  stateTopics: readonly StateTopic[],
  take: (message: IncomingMessage) => void,
  progress?: ReadingProgress,
): Promise<Following> {
  const readers: StateReader[] = [];
  const stop = async (): Promise<void> => {
    progress?.end();
    await Promise.all(readers.map((reader) => reader.stop()));
  };
  try {
    for (const { topic } of stateTopics) {
      const reader = await bus.readAll(topic, (message) => {
        take(message);
        progress?.note(message);
      });
      readers.push(reader);
      progress?.follow(topic.name, reader);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    caughtUp: Promise.all(readers.map((reader) => reader.caughtUp)).then(() => undefined),
    lost: Promise.race(readers.map((reader) => reader.lost)),
  };
}
