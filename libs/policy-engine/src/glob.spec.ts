import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob, specificity } from './glob.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const metacharacters = fc.string({
  unit: fc.constantFrom(...Array.from('.+?^$()[]{}|\\/*ab\n')),
  maxLength: 10,
});

describe('a glob', () => {
  it('matches as the regular expression does in which all but the star is escaped', () => {
    fc.assert(
      fc.property(metacharacters, metacharacters, (pattern, name) => {
        const escaped = pattern.replaceAll(/[.+?^$()[\]{}|\\/]/g, String.raw`\$&`);
        const expected = new RegExp(`^${escaped.replaceAll('*', '[^]*')}$`).test(name);
        expect(matchesGlob(pattern, name)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('without a star matches itself and nothing else', () => {
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        fc.pre(!pattern.includes('*'));
        expect(matchesGlob(pattern, pattern)).toBe(true);
        expect(matchesGlob(pattern, name)).toBe(pattern === name);
      }),
    );
  });

  it('matches whatever its stars are filled with', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), text, (parts, filling) => {
        const plain = parts.map((part) => part.replaceAll('*', ''));
        expect(matchesGlob(plain.join('*'), plain.join(filling))).toBe(true);
      }),
    );
  });

  it('does not let its two ends share characters', () => {
    expect(matchesGlob('ab*ba', 'aba')).toBe(false);
    expect(matchesGlob('ab*ba', 'abba')).toBe(true);
    expect(matchesGlob('a*b*b', 'ab')).toBe(false);
  });

  it('with many stars is not slow on a name that almost matches', () => {
    const started = performance.now();
    expect(matchesGlob(`${'a*'.repeat(60)}b`, 'a'.repeat(100_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(250);
  });

  it('is the less specific the fewer characters it fixes, and never as specific as a name', () => {
    const patterns = ['read_file', 'read_fi*', 're*le', 'r*', '*'];
    expect(patterns.toSorted((a, b) => specificity(b) - specificity(a))).toEqual(patterns);
    expect(specificity('**')).toBe(specificity('*'));
  });
});
