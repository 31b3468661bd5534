import type { StateReader, IncomingMessage } from '@gatehouse/event-sourcing';
import { isBeat } from '@gatehouse/event-catalog';
import { gauge, positionOf, type Clock, type ReadingProgress } from '@gatehouse/platform';
import type { GateState } from './gate-state.ts';

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

const deciding = gauge({
  name: 'gatehouse_gateway_deciding',
  help: '1 while the gate knows what it decides by; at 0 it refuses everything, as its state is not loaded or too old.',
  service,
});
const age = gauge({
  name: 'gatehouse_gateway_state_age_seconds',
  help: 'How long ago every owner had told all there was, by their beats; above `gateway.stateMaxAgeMs` the gate refuses. Absent until each has said so once.',
  service,
});

/** Shows whether the gate decides, and by how old a state. */
export function showState(state: GateState, clock: Clock): () => void {
  const stops = [
    deciding.read(() => [[{}, state.doubt() === undefined ? 1 : 0]]),
    age.read(() => {
      const ms = state.fold.beats.ageMs(clock.now().getTime());
      return Number.isFinite(ms) ? [[{}, Math.max(0, ms) / 1000]] : undefined;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** What this gate has read of the state topics, shown until it ends. */
export class StateProgress implements ReadingProgress {
  readonly #caughtUp = new Map<string, boolean>();
  readonly #positions = new Map<string, number>();
  readonly #stops = [
    caughtUp.read(() => [...this.#caughtUp].map(([topic, is]) => [{ topic }, is ? 1 : 0])),
    position.read(() => [...this.#positions].map(([topic, reached]) => [{ topic }, reached])),
  ];

  /** Notes a message that was folded. */
  note(message: IncomingMessage): void {
    if (isBeat(message)) return;
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

  end(): void {
    for (const stop of this.#stops) stop();
  }
}
