import { describe, expect, it } from 'vitest';
import { successorExpiry } from './successor-expiry.ts';

const now = new Date('2026-03-01T00:00:00.000Z');

describe('the expiry of a successor', () => {
  it('gives it the lifetime of its predecessor, from now on', () => {
    expect(successorExpiry('2026-01-01T00:00:00.000Z', '2026-01-11T00:00:00.000Z', now)).toBe(
      '2026-03-11T00:00:00.000Z',
    );
  });

  it('is none where the predecessor had none', () => {
    expect(successorExpiry('2026-01-01T00:00:00.000Z', null, now)).toBeNull();
  });
});
