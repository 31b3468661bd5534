import { slugSchema } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualify, splitQualifiedName } from './index.ts';

const slug = fc
  .string({ unit: fc.constantFrom('a', 'z', '0', '-'), minLength: 1, maxLength: 31 })
  .filter((text) => slugSchema.safeParse(text).success);

describe('a qualified name', () => {
  it('gives back slug and tool, whatever the tool is called', () => {
    const tool = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: fc.constantFrom('_', 'a', '-', '.'), minLength: 1, maxLength: 6 }),
    );
    fc.assert(
      fc.property(slug, tool, (server, name) => {
        expect(splitQualifiedName(qualify(server, name))).toEqual({ slug: server, tool: name });
      }),
    );
  });

  it('is never shared by two tools', () => {
    const part = fc.string({ unit: fc.constantFrom('_', 'a', '-'), minLength: 1, maxLength: 4 });
    const server = part.filter((text) => slugSchema.safeParse(text).success);
    fc.assert(
      fc.property(server, part, server, part, (slugA, toolA, slugB, toolB) => {
        const same = slugA === slugB && toolA === toolB;
        expect(qualify(slugA, toolA) === qualify(slugB, toolB)).toBe(same);
      }),
    );
  });

  it.each([
    '',
    'read_file',
    'fs_read',
    '__read',
    'fs__',
    'FS__read',
    'f s__read',
    '-fs__read',
    'a--b__c',
  ])('is not %j', (name) => {
    expect(splitQualifiedName(name)).toBeUndefined();
  });
});
