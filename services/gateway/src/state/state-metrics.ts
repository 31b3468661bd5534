import type { StateReader, IncomingMessage } from '@gatehouse/event-sourcing';
import { gauge, positionOf } from '@gatehouse/platform';

const service = 'gateway';
const labels = ['topic'] as const;
const caughtUp = gauge({
  name: 'gatehouse_gateway_state_caught_up',
  help: '1 once all that a state topic held at the start has been read; the gate refuses everything until then.',
  service,
  labels,
});
const position = gauge({
  name: 'gatehouse_gateway_state_position',
  help: "How far into the log of a state topic's owner this gate has read.",
  service,
  labels,
});

/** What this gate has read of the state topics, for who watches it. */
export class StateProgress {
  readonly #caughtUp = new Map<string, boolean>();
  readonly #positions = new Map<string, number>();

  /** Notes a message that was folded. */
  note(message: IncomingMessage): void {
    try {
      const reached = positionOf(message);
      if (reached > (this.#positions.get(message.topic) ?? -1))
        this.#positions.set(message.topic, reached);
    } catch {
      // It says no position; the state has complained of it already.
    }
  }

  /** Notes that a topic is being read, and when all that was there has been. */
  follow(topic: string, reader: StateReader): void {
    this.#caughtUp.set(topic, false);
    void reader.caughtUp.then(() => this.#caughtUp.set(topic, true));
  }

  /** Shows it until the answer is called. */
  show(): () => void {
    const stops = [
      caughtUp.read(() => [...this.#caughtUp].map(([topic, is]) => [{ topic }, is ? 1 : 0])),
      position.read(() => [...this.#positions].map(([topic, reached]) => [{ topic }, reached])),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }
}
