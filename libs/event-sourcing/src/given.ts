import type { Decider, DecisionContext } from './decider.ts';
import { fold } from './decider.ts';

const context: DecisionContext = {
  actor: { kind: 'user', id: 'user-0', name: 'Ada' },
  now: new Date('2026-01-01T12:00:00.000Z'),
  correlationId: 'correlation-0',
};

/** The sentence of a decider's test: `given(decider, ...events).when(command).then(...events)`, or `.refuses(code)`. */
export function given<State, Command, Event>(
  decider: Decider<State, Command, Event>,
  ...history: Event[]
) {
  return {
    when(command: Command, overrides: Partial<DecisionContext> = {}) {
      const attempt = (): readonly Event[] =>
        decider.decide(command, fold(decider, history), { ...context, ...overrides });
      return {
        emits(...expected: Event[]): void {
          assertEqual(attempt(), expected);
        },
        emitsNothing(): void {
          assertEqual(attempt(), []);
        },
        refuses(code: string): void {
          let events: readonly Event[];
          try {
            events = attempt();
          } catch (error) {
            if ((error as { code?: unknown }).code === code) return;
            throw error;
          }
          throw new Error(`expected the refusal ${code}, but it emitted ${JSON.stringify(events)}`);
        },
      };
    },
  };
}

function assertEqual(actual: unknown, expected: unknown): void {
  const [a, e] = [sorted(actual), sorted(expected)];
  if (a !== e) throw new Error(`expected ${e}\n but got ${a}`);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
