import type { IncomingMessage } from '@gatehouse/event-sourcing';
import { eventually } from '@gatehouse/testing';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { defaultTiming } from './bus-timing.ts';
import { handOver } from './state-handover.ts';

const message: IncomingMessage = {
  topic: 'state',
  partition: 2,
  offset: 7,
  key: 'k',
  value: null,
  headers: {},
};

function handingOver(handle: () => void, signal: AbortSignal) {
  const stalls: (string | undefined)[] = [];
  const taken = handOver(message, signal, {
    handle,
    timing: { ...defaultTiming, retryFirstMs: 1, retryCapMs: 5 },
    log: createLogger({ service: 'test', level: 'silent' }),
    onStall: (where) => stalls.push(where),
    onAlarm: () => undefined,
  });
  return { stalls, taken };
}
const refuse = (): never => {
  throw new Error('not now');
};

describe('a reader of state that stands still', () => {
  it('says so, and says when it goes on', async () => {
    let attempts = 0;
    const handle = (): void => {
      attempts += 1;
      if (attempts < 6) refuse();
    };
    const { stalls, taken } = handingOver(handle, new AbortController().signal);
    expect(await taken).toBe(true);
    expect(stalls).toEqual(['state/2@7', undefined]);
  });

  it('does not stand there any more once it gave up: the next one may succeed at once', async () => {
    const giving = new AbortController();
    const { stalls, taken } = handingOver(refuse, giving.signal);
    await eventually(() => expect(stalls).toEqual(['state/2@7']));
    giving.abort();
    expect(await taken).toBe(false);
    expect(stalls).toEqual(['state/2@7', undefined]);
  });
});
