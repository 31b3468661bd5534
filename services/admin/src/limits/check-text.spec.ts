import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { checkText } from './check-text.ts';

const MAX_TOKENS = 4000;
const passes = (query: string): boolean => {
  try {
    checkText(query, MAX_TOKENS);
    return true;
  } catch (error) {
    expect((error as Error).message).toBe(
      'The query asks for too much: more than 4000 words and signs, or brackets nested more than 200 deep.',
    );
    return false;
  }
};

describe('the text of an operation', () => {
  test.each<[string, string, boolean]>([
    ['200 levels', '{ a '.repeat(199) + '{ a' + ' }'.repeat(200), true],
    ['201 levels', '{ a '.repeat(200) + '{ a' + ' }'.repeat(201), false],
    ['5000 levels', '{ a '.repeat(5000), false],
    ['lists in lists', `{ a(b: ${'['.repeat(1900)}`, false],
    ['objects in objects', `{ a(b: ${'{ c: '.repeat(300)}`, false],
    ['types of lists of lists', `query ($a: ${'['.repeat(1900)}`, false],
    [
      'brackets that are text, or a remark',
      `{ a(b: "${'['.repeat(300)}") } # ${'{'.repeat(300)}`,
      true,
    ],
    ['many brackets side by side', `{ ${'a(b: []) '.repeat(500)} }`, true],
    ['4000 words', `{ ${'a '.repeat(3998)} }`, true],
    ['4001 words', `{ ${'a '.repeat(3999)} }`, false],
    ['what is no word, which the parser names', '{ a(b: "', true],
  ])('with %s: may it be parsed? %#', (_, query, may) => {
    expect(passes(query)).toBe(may);
  });

  test('may be parsed where it passes: the stack is not at its end', () => {
    const deepest = `query ($a: ${'['.repeat(199)}A${']'.repeat(199)}) ${'{ a '.repeat(200)}${' }'.repeat(200)}`;
    expect(passes(deepest)).toBe(true);
    expect(parse(deepest).definitions).toHaveLength(1);
  });
});
