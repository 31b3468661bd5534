import { topics } from '@gatehouse/event-catalog';
import { createLogger } from '@gatehouse/platform';
import { recordSpans, type RecordedSpans } from '@gatehouse/platform/testing';
import { ManualClock } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogueState } from '../test/gate-under-test.ts';
import { GateState } from './gate-state.ts';

const FIRST = '0af7651916cd43dd8448eb211c80319c';
const SECOND = '4bf92f3577b34da6a3ce929d0e0e4736';

let spans: RecordedSpans;
let state: GateState;
let position = 0;
beforeEach(() => {
  spans = recordSpans();
  state = new GateState({
    log: createLogger({ service: 'test', level: 'silent' }),
    clock: new ManualClock(),
    stateMaxAgeMs: 15_000,
    stateResyncAfterMs: 600_000,
  });
});
afterEach(() => spans.stop());

function server(slug: string, traceId?: string, at = (position += 1)): void {
  const server = catalogueState(slug, { kind: 'streamable-http', url: 'http://x' }, {});
  state.fold.apply({
    topic: topics.catalogueState.name,
    partition: 0,
    offset: 0,
    key: slug,
    value: Buffer.from(JSON.stringify(server)),
    headers: {
      position: String(at),
      ...(traceId === undefined ? {} : { traceparent: `00-${traceId}-b7ad6b7169203331-01` }),
    },
  });
}

const reacted = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const seen = (): string[] => spans.all().map(({ name, traceId }) => `${name} ${traceId}`);

describe('the trace of a change', () => {
  it('is not gone on with for what was there at the start', async () => {
    state.onChange(() => 1, 'did');
    server('a', FIRST);
    await reacted();
    expect(seen()).toEqual([]);
  });

  it('shows what the change set off, once for all that came in it', async () => {
    state.fold.markCaughtUp();
    state.onChange(() => 3, 'did');
    state.onChange(() => 0, 'had nothing to do');
    state.onChange(() => undefined, 'does not count');
    server('a', FIRST);
    server('b', FIRST);
    await reacted();
    expect(seen()).toEqual([`did ${FIRST}`, `gateway.apply-state ${FIRST}`]);
    expect(spans.only('did').attributes).toEqual({ 'gatehouse.count': 3 });
  });

  it('is one of several where changes come together, and each shows all of it', async () => {
    state.fold.markCaughtUp();
    let reactions = 0;
    state.onChange(() => (reactions += 1), 'did');
    server('a', FIRST);
    server('b');
    server('c', SECOND);
    await reacted();
    expect(reactions).toBe(1);
    expect(seen().toSorted()).toEqual(
      [FIRST, SECOND].flatMap((id) => [`did ${id}`, `gateway.apply-state ${id}`]).toSorted(),
    );
  });

  it('ends where a reaction fails, and the next one is shown', async () => {
    state.fold.markCaughtUp();
    state.onChange(() => {
      throw new Error('a bug');
    }, 'failed');
    state.onChange(() => 1, 'did');
    server('a', FIRST);
    await reacted();
    expect(seen()).toEqual([`did ${FIRST}`, `gateway.apply-state ${FIRST}`]);
  });

  it('is not gone on with by what is older than what is known', async () => {
    state.fold.markCaughtUp();
    state.onChange(() => 1, 'did');
    server('a');
    await reacted();
    server('a', FIRST, position - 1);
    await reacted();
    expect(seen()).toEqual([]);
  });
});
