import { describe, expect, test } from 'vitest';
import { readPageArgs, toPage } from './page.ts';

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('a page', () => {
  test('asks for one row more than it shows, to know whether there is a next page', () => {
    expect(readPageArgs({ first: 2 }, 1, 10)).toEqual({ first: 2, limit: 3, after: null });
    const page = toPage(['a', 'b', 'c'], { first: 2, limit: 3, after: null }, (row) => [row]);
    expect(page.nodes).toEqual(['a', 'b']);
    expect(page.pageInfo.hasNextPage).toBe(true);
  });

  test('hands out a cursor that leads to what comes after its last row', () => {
    const { pageInfo } = toPage(['ä', 'b'], { first: 2, limit: 3, after: null }, (row) => [row]);
    expect(pageInfo.hasNextPage).toBe(false);
    expect(readPageArgs({ first: 2, after: pageInfo.endCursor }, 1, 10).after).toEqual(['b']);
  });

  test('has no cursor when it is empty', () => {
    const { pageInfo } = toPage<string>([], { first: 2, limit: 3, after: null }, (row) => [row]);
    expect(pageInfo).toEqual({ hasNextPage: false, endCursor: null });
  });

  test('is refused when it is too large, and when it has no row', () => {
    expect(codeOf(() => readPageArgs({ first: 11 }, 1, 10))).toBe('query-too-complex');
    expect(codeOf(() => readPageArgs({ first: 0 }, 1, 10))).toBe('request-invalid');
  });

  test.each([
    ['not base64', '§§§'],
    ['not JSON', Buffer.from('{').toString('base64url')],
    ['of another width', Buffer.from('["a","b"]').toString('base64url')],
    ['not of texts', Buffer.from('[{"a":1}]').toString('base64url')],
    ['no list', Buffer.from('"a"').toString('base64url')],
  ])('refuses a cursor that is %s', (_, after) => {
    expect(codeOf(() => readPageArgs({ first: 1, after }, 1, 10))).toBe('cursor-invalid');
  });
});
