import { Refusal } from '@gatehouse/problem-catalog';
import type { Management } from '@gatehouse/policy-engine';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { RequestContext } from '../caller/caller.ts';
import { readSchemaSources } from '../schema/print-schema.ts';
import { checkOperation } from './check-operation.ts';

const schema = readSchemaSources();
const limits = { maxDepth: 5, maxCost: 1000, maxRootFields: 4 };

function check(query: string, management: Management | undefined): string {
  const context: RequestContext = {
    correlationId: 'a-test',
    caller:
      management === undefined
        ? undefined
        : { actor: { kind: 'user', id: 'u', name: 'U' }, roles: [], management },
  };
  try {
    checkOperation(schema, parse(query), {}, context, limits);
    return 'passes';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('the right to an operation', () => {
  const mutation = 'mutation { fetchCatalogue(input: { slug: "a" }) { toolCount } }';
  test.each<[string, string, Record<Management, string>]>([
    [
      'a query',
      '{ gate { bundleNumber } }',
      { none: 'management-denied', observe: 'passes', administer: 'passes' },
    ],
    [
      'a mutation',
      mutation,
      { none: 'management-denied', observe: 'management-denied', administer: 'passes' },
    ],
    [
      'asking who one is',
      '{ viewer { id } __typename }',
      { none: 'passes', observe: 'passes', administer: 'passes' },
    ],
    [
      'opening sealed arguments',
      '{ revealArguments(id: "a") { arguments } }',
      { none: 'management-denied', observe: 'management-denied', administer: 'passes' },
    ],
    [
      'introspection',
      '{ __schema { queryType { name } } }',
      { none: 'management-denied', observe: 'management-denied', administer: 'passes' },
    ],
    [
      'introspection of one type',
      '{ __type(name: "Key") { name } }',
      { none: 'management-denied', observe: 'management-denied', administer: 'passes' },
    ],
  ])('%s', (_, query, expected) => {
    for (const [management, outcome] of Object.entries(expected))
      expect([management, check(query, management as Management)]).toEqual([management, outcome]);
  });

  test('is not had by somebody who was never established', () => {
    expect(check('{ viewer { id } }', undefined)).toBe('authentication-required');
  });

  test('is asked for every field, hidden behind an alias, a fragment or a directive as it may be', () => {
    expect(check('{ viewer: gate { bundleNumber } }', 'none')).toBe('management-denied');
    expect(
      check('{ viewer { id } ...f } fragment f on Query { gate { bundleNumber } }', 'none'),
    ).toBe('management-denied');
    expect(check('{ viewer { id } ... { gate { bundleNumber } } }', 'none')).toBe(
      'management-denied',
    );
    expect(check('{ gate @skip(if: true) { bundleNumber } }', 'none')).toBe('management-denied');
  });

  test('is asked for every operation of the document, since any may be the one that is named', () => {
    expect(check(`query A { gate { bundleNumber } } ${mutation}`, 'observe')).toBe(
      'management-denied',
    );
  });
});

describe('the limits of an operation', () => {
  test('hold its depth', () => {
    const four = '{ servers(first: 1) { nodes { tools { name } } } }';
    expect(check(four, 'observe')).toBe('passes');
    const six = `{ keys(first: 1) { nodes { principal { kind } } } ...d }
      fragment d on Query { servers(first: 1) { nodes { tools { digests { behavior } } } } }`;
    expect(check(six, 'observe')).toBe('passes');
    const context = { ...limits, maxDepth: 4 };
    expect(() =>
      checkOperation(
        schema,
        parse(six),
        {},
        {
          correlationId: 'a-test',
          caller: { actor: { kind: 'user', id: 'u', name: 'U' }, roles: [], management: 'observe' },
        },
        context,
      ),
    ).toThrow('5 levels deep; at most 4');
  });

  test('hold its cost', () => {
    expect(check('{ users(first: 200) { nodes { id } } }', 'observe')).toBe('passes');
    expect(check('{ users(first: 200) { nodes { id active email userName } } }', 'observe')).toBe(
      'query-too-complex',
    );
  });

  test('hold how many fields are asked of the root, under whatever names', () => {
    const fields = (count: number): string =>
      Array.from({ length: count }, (_, i) => `a${i}: gate { bundleNumber }`).join(' ');
    expect(check(`{ ${fields(4)} }`, 'observe')).toBe('passes');
    expect(check(`{ ${fields(5)} }`, 'observe')).toBe('query-too-complex');
    expect(check(`{ ...f } fragment f on Query { ${fields(5)} }`, 'observe')).toBe(
      'query-too-complex',
    );
  });
});
