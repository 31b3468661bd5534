import { Refusal } from '@gatehouse/problem-catalog';
import { describe, expect, it } from 'vitest';
import { inspectTool } from './inspect-tool.ts';

const inputSchema = { type: 'object' };

function refusalOf(slug: string, candidate: unknown): Refusal {
  try {
    inspectTool(slug, candidate);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was let through');
}

const nested = (depth: number): unknown => (depth === 0 ? true : { inner: nested(depth - 1) });

/** Each definition asks the next one twice. */
const doubling = (levels: number) => ({
  properties: { a: { $ref: '#/$defs/d0' } },
  $defs: Object.fromEntries(
    Array.from({ length: levels }, (_, level) => {
      const next = { $ref: `#/$defs/d${level + 1}` };
      return [`d${level}`, level === levels - 1 ? true : { anyOf: [next, next] }];
    }),
  ),
});

describe('a tool', () => {
  it.each(['a', 'read_file', 'Read.File-2', '_private', 'a__b', '__'])(
    'may be called %s',
    (name) => {
      const tool = { name, inputSchema, 'x-unknown': [1, { deep: true }] };
      expect(inspectTool('files', tool)).toBe(tool);
    },
  );

  it.each([
    ['no object', 'a tool', 'One of its tools has no name.'],
    ['null', null, 'One of its tools has no name.'],
    ['without a name', { inputSchema }, 'One of its tools has no name.'],
    ['with an empty name', { name: '', inputSchema }, 'Its tool "" has a name that is not'],
    [
      'with a space in its name',
      { name: 'a b', inputSchema },
      'Its tool "a b" has a name that is not',
    ],
    [
      'with a slash in its name',
      { name: 'a/b', inputSchema },
      'Its tool "a/b" has a name that is not',
    ],
    ['with a look-alike in its name', { name: 'rеad', inputSchema }, 'has a name that is not'],
    ['with a line feed after its name', { name: 'read\n', inputSchema }, 'has a name that is not'],
    ['with 129 characters', { name: 'x'.repeat(129), inputSchema }, 'has a name that is not'],
    ['without input schema', { name: 'a' }, 'Its tool "a" has no inputSchema of type "object".'],
    ['with another input schema', { name: 'a', inputSchema: { type: 'string' } }, 'no inputSchema'],
    [
      'whose input schema refers to itself without end',
      { name: 'a', inputSchema: { type: 'object', allOf: [{ $ref: '#' }] } },
      'Its tool "a" has an inputSchema that refers to itself without end.',
    ],
    [
      'whose input schema costs more with each reference',
      { name: 'a', inputSchema: { type: 'object', ...doubling(22) } },
      'an inputSchema that has more than 20000 parts when its references are followed',
    ],
    ['with NUL', { name: 'a', inputSchema, description: 'a\u0000b' }, 'has a NUL character'],
    ['with NUL in a key', { name: 'a', inputSchema, ['\u0000']: 1 }, 'has a NUL character'],
    ['with half a character', { name: 'a', inputSchema, title: '\ud83d' }, 'has half a character'],
    ['nested without end', { name: 'a', inputSchema, _meta: nested(80) }, '64 levels of nesting'],
  ])('%s is refused, and it is said why', (_what, candidate, why) => {
    const refusal = refusalOf('files', candidate);
    expect(refusal.code).toBe('upstream-garbled');
    expect(refusal.internal).toContain(why);
  });

  it('is refused when its name at the aggregate endpoint would be too long', () => {
    const slug = 's'.repeat(31);
    const tool = { name: 'x'.repeat(95), inputSchema };
    expect(inspectTool(slug, tool)).toBe(tool);
    const refusal = refusalOf(slug, { name: 'x'.repeat(96), inputSchema });
    expect(refusal.internal).toContain('too long for the aggregate endpoint');
  });

  it('may hold whole characters beyond the basic plane', () => {
    const tool = { name: 'a', inputSchema, title: '🔧' };
    expect(inspectTool('files', tool)).toBe(tool);
  });
});
