import { describe, expect, it } from 'vitest';
import { compileArguments } from './argument-check.ts';

const complaint = (schema: unknown, given: unknown): string | undefined => {
  try {
    compileArguments(schema)(given);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
const refusal = expect.objectContaining({ code: 'arguments-invalid' });

describe('the check of arguments', () => {
  it('lets through what matches and names the place and the rule of what does not', () => {
    const schema = {
      type: 'object',
      properties: { path: { type: 'string', minLength: 2 } },
      required: ['path'],
    };
    expect(complaint(schema, { path: 'ab' })).toBeUndefined();
    expect(complaint(schema, {})).toBe(
      "Invalid arguments: The arguments must have required property 'path'.",
    );
    expect(complaint(schema, { path: 'x' })).toBe(
      'Invalid arguments: `/path` must NOT have fewer than 2 characters.',
    );
  });

  it('says nothing of the value it refuses', () => {
    const schema = { properties: { pin: { const: 1 }, kind: { enum: ['a'] } } };
    expect(complaint(schema, { pin: 'hunter2' })).not.toContain('hunter2');
    expect(complaint(schema, { kind: 'hunter2' })).not.toContain('hunter2');
  });

  it('reads a schema in the dialect that it declares, 2020-12 where it declares none', () => {
    const tuple = { type: 'array', prefixItems: [{ type: 'string' }] };
    const draft7 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: { pair: { items: [{ type: 'string' }] } },
    };
    expect(complaint({ properties: { pair: tuple } }, { pair: [1] })).toContain('/pair/0');
    expect(complaint(draft7, { pair: [1] })).toContain('/pair/0');
    expect(
      complaint({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple }, [1]),
    ).toContain('/0');
    expect(
      complaint({ $schema: 'https://json-schema.org/draft/2019-09/schema', minProperties: 1 }, {}),
    ).toBeDefined();
  });

  it('does not mistake unknown keywords and formats for faults', () => {
    expect(
      complaint({ 'x-mcp-header': 'A', properties: { when: { format: 'made-up' } } }, { when: 1 }),
    ).toBeUndefined();
  });

  it('follows references within the schema', () => {
    const schema = {
      properties: { a: { $ref: '#/$defs/text' } },
      $defs: { text: { type: 'string' } },
    };
    expect(complaint(schema, { a: 'x' })).toBeUndefined();
    expect(complaint(schema, { a: 1 })).toContain('/a');
  });

  it.each([
    ['refers to the network', { properties: { a: { $ref: 'https://example.com/schema.json' } } }],
    ['is of a dialect nobody knows', { $schema: 'https://example.com/dialect' }],
    ['is too large', { description: 'x'.repeat(300_000) }],
    ['is no schema', { type: 'nonsense' }],
    ['is asynchronous', { $async: true, type: 'object' }],
    ['is no object', 'string'],
    ['is missing', undefined],
  ])('refuses every call of a tool whose schema %s', (_, schema) => {
    const check = compileArguments(schema);
    expect(() => check({})).toThrow(refusal);
    expect(() => check({ a: 1 })).toThrow(refusal);
  });

  it('keeps two schemas apart that carry the same id', () => {
    const first = compileArguments({ $id: 'https://example.com/same', required: ['a'] });
    const second = compileArguments({ $id: 'https://example.com/same', required: ['b'] });
    expect(() => first({ b: 1 })).toThrow(refusal);
    expect(() => second({ b: 1 })).not.toThrow();
  });
});
