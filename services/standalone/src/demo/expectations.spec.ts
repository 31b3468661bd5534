import { describe, expect, it } from 'vitest';
import { expectations } from './expectations.ts';

describe('the expectations of the demo', () => {
  it('are told as they come true', () => {
    const told: string[] = [];
    expectations((line) => told.push(line))('the reader reads', true);
    expect(told.join('')).toContain('the reader reads');
  });

  it('end the demo at the first that does not, named, with what was found instead', () => {
    const told: string[] = [];
    const check = expectations((line) => told.push(line));
    expect(() => check('the reader reads', false, ['nothing'])).toThrow(
      'this did not come true: the reader reads; found instead: ["nothing"]',
    );
    expect(() => check('the reader reads', false)).toThrow('found instead: nothing');
    expect(told).toEqual([]);
  });
});
