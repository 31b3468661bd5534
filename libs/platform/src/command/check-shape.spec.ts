import { Refusal } from '@gatehouse/problem-catalog';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkShape } from './check-shape.ts';

const schema = z.strictObject({
  name: z.string().trim().min(1).max(5),
  email: z.email().nullable(),
  seconds: z.number().int().min(0).max(10),
  kind: z.enum(['user', 'agent']),
  slug: z.string().regex(/^[a-z]+$/, 'must be lower-case letters'),
  list: z.array(z.string()).max(1),
  tools: z.record(z.string().min(1), z.string()),
  at: z.iso.datetime(),
});
const fitting = {
  name: 'a',
  email: null,
  seconds: 1,
  kind: 'user',
  slug: 'a',
  list: [],
  tools: {},
  at: '2026-01-31T12:00:00Z',
};

function sayOf(value: unknown, asWritten?: (path: readonly PropertyKey[]) => PropertyKey[]) {
  try {
    checkShape(schema, value, asWritten);
    return 'fits';
  } catch (error) {
    if (error instanceof Refusal && error.code === 'request-invalid') return error.message;
    throw error;
  }
}

describe('what does not have the shape it must have', () => {
  test.each<[object, string]>([
    [{ name: ' ' }, 'name: must have at least 1 character'],
    [{ name: 'abcdef' }, 'name: must have at most 5 characters'],
    [{ name: undefined }, 'name: must be given'],
    [{ name: 1 }, 'name: must be of the type string'],
    [{ email: 'nobody' }, 'email: must be an email address'],
    [{ seconds: -1 }, 'seconds: must be at least 0'],
    [{ seconds: 11 }, 'seconds: must be at most 10'],
    [{ kind: 'robot' }, 'kind: must be one of user, agent'],
    [{ slug: 'A' }, 'slug: must be lower-case letters'],
    [{ list: ['a', 'b'] }, 'list: must have at most 1 entry'],
    [{ list: [1] }, 'list.0: must be of the type string'],
    [{ tools: { '': 'a' } }, 'tools.: is not a name that is allowed here'],
    [{ at: 'noon' }, 'at: must be an instant such as 2026-01-31T12:00:00Z'],
    [{ more: 1 }, 'the input: has no field more'],
    [
      { name: '', email: 'nobody' },
      'name: must have at least 1 character; email: must be an email address',
    ],
  ])('%j is refused in sentences of our own', (wrong, sentence) => {
    expect(sayOf({ ...fitting, ...wrong })).toBe(sentence);
  });

  test('is told of by the names that the caller wrote', () => {
    const wrong = { ...fitting, name: '' };
    expect(sayOf(wrong, (path) => ['person', ...path])).toContain('person.name: must have');
  });

  test('is told of ten times at most', () => {
    const tools = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [index, index]));
    const wrong = { ...fitting, tools };
    expect(sayOf(wrong).split('; ')).toHaveLength(10);
  });

  test('what fits is handed on as the schema reads it', () => {
    expect(checkShape(schema, { ...fitting, name: ' a ' })).toEqual(fitting);
  });
});
