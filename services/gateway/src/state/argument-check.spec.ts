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

describe('a schema that is made to cost much', () => {
  const timed = (schema: unknown, given: unknown): { said: string | undefined; ms: number } => {
    const check = compileArguments(schema);
    const began = performance.now();
    let said: string | undefined;
    try {
      check(given);
    } catch (error) {
      expect(error).toEqual(refusal);
      said = (error as Error).message;
    }
    return { said, ms: performance.now() - began };
  };
  const pattern = (source: string) => ({ properties: { a: { pattern: source } } });
  const as = 'a'.repeat(40);
  const branching = {
    $ref: '#/$defs/n',
    $defs: {
      n: {
        anyOf: [1, 2].map((n) => ({
          properties: { a: { $ref: '#/$defs/n' }, n: { const: n } },
          required: ['n'],
        })),
      },
    },
  };
  const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1), n: 1 });

  it.each([
    ['goes back without end', '^(a+)+$', `${as}!`, 'must match pattern'],
    [
      'goes back without end over characters beyond the basic plane',
      '^(a+)+$',
      `${as}🙂!`,
      'too long',
    ],
    ['looks ahead, and goes back without end', '^(?=(a+)+$)a', `${as}!`, 'too long'],
  ])('is answered in time where a pattern %s', (_, source, given, why) => {
    const { said, ms } = timed(pattern(source), { a: given });
    expect(said).toContain(why);
    expect(ms).toBeLessThan(2_000);
  });

  it.each([
    ['linear', '^(a+)+$', as],
    ['looking ahead', '^(?!b)a+$', as],
    ['counted', '^[a-z]{1,64}$', as],
    ['of one character beyond the basic plane', '^.$', '🙂'],
    ['of a class of characters', '^\\p{L}+$', 'äß'],
  ])('lets through what matches a pattern that is %s', (_, source, given) => {
    expect(timed(pattern(source), { a: given }).said).toBeUndefined();
    expect(timed(pattern(source), { a: '???' }).said).toContain('must match pattern');
  });

  it('keeps two patterns of one schema apart', () => {
    const schema = { properties: { a: { pattern: '^a' }, b: { pattern: '^b' } } };
    expect(timed(schema, { a: 'a', b: 'b' }).said).toBeUndefined();
    expect(timed(schema, { a: 'a', b: 'a' }).said).toContain('/b');
  });

  it('is answered in time where references double the work level by level', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_unused, level) => {
        const next = { $ref: `#/$defs/d${level + 1}` };
        return [`d${level}`, level === 29 ? { type: 'string' } : { anyOf: [next, next] }];
      }),
    );
    const { said, ms } = timed({ properties: { a: { $ref: '#/$defs/d0' } }, $defs }, { a: 1 });
    expect(said).toBeDefined();
    expect(ms).toBeLessThan(50);
  });

  it('is stopped where it doubles the work with each level of the arguments', () => {
    expect(timed(branching, deep(3)).said).toBeDefined();
    const { said, ms } = timed(branching, deep(60));
    expect(said).toContain('too long');
    expect(ms).toBeLessThan(2_000);
  });

  it('is stopped where it compares many items, each with each', () => {
    const items = Array.from({ length: 60_000 }, (_unused, index) => ({ index }));
    const { said, ms } = timed({ properties: { a: { uniqueItems: true } } }, { a: items });
    expect(said).toContain('too long');
    expect(ms).toBeLessThan(2_000);
  });

  it('leaves checks that follow as they were', () => {
    timed(branching, deep(60));
    expect(timed(branching, { n: 2 }).said).toBeUndefined();
    expect(timed(pattern('^(?=a)'), { a: 'b' }).said).toContain('must match pattern');
  });
});
