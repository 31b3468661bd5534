import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { ManualClock } from './manual-clock.ts';

describe('eventually', () => {
  it('returns what the assertion returned once it holds', async () => {
    let tries = 0;
    const result = await eventually(() => {
      tries += 1;
      expect(tries).toBe(3);
      return 'held';
    });
    expect(result).toBe('held');
  });

  it('fails with the last failure when the time is over', async () => {
    const attempt = eventually(() => expect('this').toBe('that'), { timeoutMs: 40 });
    await expect(attempt).rejects.toThrow(/did not come to hold within 40 ms: .*that/s);
  });
});

describe('the manual clock', () => {
  it('moves only when told', () => {
    const clock = new ManualClock('2026-01-01T00:00:00Z');
    clock.advance(1_500);
    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:01.500Z');
  });
});
