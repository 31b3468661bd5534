import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { readSchemaSources } from '../schema/print-schema.ts';
import { measureDocument } from './measure-operation.ts';

const schema = readSchemaSources();

function measure(query: string, variables: Record<string, unknown> = {}) {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  return measureDocument(schema, document, variables);
}

describe('the measure of an operation', () => {
  test('is one level and its root cost for a single field', () => {
    expect(measure('{ server(slug: "a") { slug } }')).toEqual({ depth: 2, cost: 11 });
  });

  test('counts every value of every row of a page', () => {
    expect(measure('{ users(first: 30) { nodes { id userName } } }').cost).toBe(10 + 30 * 3);
  });

  test('takes the size of a page from its default where none is given', () => {
    expect(measure('{ users { nodes { id } } }').cost).toBe(10 + 50 * 2);
  });

  test('takes the size of a page from a variable, and from the default of that variable', () => {
    const query = 'query ($n: Int! = 40) { users(first: $n) { nodes { id } } }';
    expect(measure(query, { n: 3 }).cost).toBe(10 + 3 * 2);
    expect(measure(query).cost).toBe(10 + 40 * 2);
  });

  test('multiplies lists in lists', () => {
    const query = '{ groups(first: 20) { nodes { members(first: 30) { id } } } }';
    expect(measure(query).cost).toBe(10 + 20 * (1 + 1 + 30));
  });

  test('counts a list without a size as ten', () => {
    const query = '{ servers(first: 2) { nodes { tools { name } } } }';
    expect(measure(query).cost).toBe(10 + 2 * (1 + 1 + 10));
  });

  test('counts a mutation more than a query, and an alias as a field', () => {
    const mutation = (alias: string): string =>
      `${alias}: fetchCatalogue(input: { slug: "a" }) { toolCount }`;
    expect(measure(`mutation { ${mutation('a')} ${mutation('b')} }`).cost).toBe(2 * 101);
  });

  test('adds up all operations of a document, whichever is named', () => {
    const query = 'query A { gate { bundleNumber } } query B { gate { bundleNumber } }';
    expect(measure(query).cost).toBe(2 * 11);
  });

  test('follows fragments and type conditions', () => {
    const query = `query { server(slug: "a") { ...s transport { ... on StdioTransport { args command } } } }
      fragment s on Server { tools { digests { behavior } } }`;
    expect(measure(query)).toEqual({ depth: 4, cost: 10 + (1 + 10 * 2) + (1 + 2) });
  });

  test('measures fragments that double each other without counting them one by one', () => {
    const fragments = Array.from(
      { length: 60 },
      (_, i) => `fragment f${i} on Query { ...f${i + 1} ... on Query { ...f${i + 1} } }`,
    );
    const query = `{ ...f0 } ${fragments.join(' ')} fragment f60 on Query { gate { bundleNumber } }`;
    expect(measureDocument(schema, parse(query), {}).cost).toBeGreaterThan(1e15);
  });

  test('never counts a page as less than one row, whatever size is asked for', () => {
    expect(measure('{ users(first: -1000000) { nodes { id } } }').cost).toBe(10 + 2);
  });
});
