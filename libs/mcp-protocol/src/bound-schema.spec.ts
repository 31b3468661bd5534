import { describe, expect, it } from 'vitest';
import { boundSchema } from './bound-schema.ts';

const text = { type: 'string' };

/** Each level asks the next one twice, so that the work doubles with each. */
const bomb = (levels: number, keyword = 'anyOf') => ({
  properties: { a: { $ref: '#/$defs/d0' } },
  $defs: Object.fromEntries(
    Array.from({ length: levels }, (_, level) => {
      const next = { $ref: `#/$defs/d${level + 1}` };
      return [`d${level}`, level === levels - 1 ? text : { [keyword]: [next, next] }];
    }),
  ),
});
const nested = (depth: number): object => (depth === 0 ? text : { not: nested(depth - 1) });
const many = (count: number) => ({
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, text])),
});

describe('the cost of a schema', () => {
  it.each([
    ['that is flat', { type: 'object', properties: { a: text, b: { items: text } } }],
    ['that is wide', many(1_500)],
    [
      'that shares a definition often',
      { allOf: Array.from({ length: 50 }, () => ({ $ref: '#/$defs/a' })), $defs: { a: text } },
    ],
    ['that holds data which looks like a schema', { default: nested(200), enum: [{ $ref: '#' }] }],
    [
      'whose definitions have names with marks',
      { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': text } },
    ],
    ['that is a boolean', true],
    ['that is missing', undefined],
  ])('%s is bounded', (_, schema) => {
    expect(boundSchema(schema)).toEqual({ kind: 'bounded' });
  });

  it.each([
    ['that describes a tree', { properties: { children: { items: { $ref: '#' } } } }],
    [
      'that describes any JSON',
      {
        $ref: '#/$defs/json',
        $defs: {
          json: {
            anyOf: [
              text,
              { items: { $ref: '#/$defs/json' } },
              { additionalProperties: { $ref: '#/$defs/json' } },
            ],
          },
        },
      },
    ],
    ['that uses an anchor', { $ref: '#here', $defs: { a: { $anchor: 'here' } } }],
    ['that leads elsewhere', { $ref: 'https://example.com/schema.json' }],
    ['that refers dynamically', { items: { $dynamicRef: '#node' } }],
  ])('%s can only be bounded by a deadline', (_, schema) => {
    expect(boundSchema(schema)).toEqual({ kind: 'recursive' });
  });

  it.each([
    [
      'whose references double the work level by level',
      bomb(22),
      'when its references are followed',
    ],
    ['that does so by allOf', bomb(22, 'allOf'), 'when its references are followed'],
    ['that is a long chain', bomb(400), 'when its references are followed'],
    ['that never comes to the value', { allOf: [{ $ref: '#' }] }, 'refers to itself without end'],
    ['that refers to itself alone', { $ref: '#' }, 'refers to itself without end'],
    ['that is nested too deep', nested(200), 'nested deeper than 128 levels'],
    ['with too many parts', many(2_500), 'more than 2000 parts'],
    ['with too many definitions', { $defs: many(2_500).properties }, 'more than 2000 parts'],
    ['that is too large', { description: 'x'.repeat(300_000) }, 'larger than 262144 bytes'],
  ])('%s is refused, and it is said why', (_, schema, why) => {
    expect(boundSchema(schema)).toEqual({ kind: 'refused', why: expect.stringContaining(why) });
  });

  it('is found out at once, however much is hidden behind references', () => {
    const began = performance.now();
    for (let round = 0; round < 100; round += 1) boundSchema(bomb(60));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
