import type { RawTool } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proposeClass } from './index.ts';

const readOnly = { readOnlyHint: true };

function proposed(name: string, fields: Omit<RawTool, 'name'> = { annotations: readOnly }): string {
  return proposeClass({ name, ...fields }).class;
}

describe('the proposed class of a tool', () => {
  it.each([
    'read_text_file',
    'list_directory_with_sizes',
    'get-env',
    'searchFiles',
    'slack_list_channels',
    'get_commit',
    'github.issues.get',
    'HTTPGet',
  ])('is read for %s, which says that it reads', (name) => {
    expect(proposed(name)).toBe('read');
  });

  it.each([
    ['write_file', '"write"'],
    ['get_or_create_user', '"create"'],
    ['listAndDelete', '"delete"'],
    ['resolve_review_thread', '"resolve"'],
    ['query_database', '"query"'],
    ['run_search', '"run"'],
    ['directory_tree', 'does not say that it reads'],
    ['forget_it', '"forget"'],
    ['gets', 'does not say that it reads'],
    ['\u0434\u0430\u0439', 'does not say that it reads'],
  ])('is write for %s, whatever it claims', (name, because) => {
    const proposal = proposeClass({ name, annotations: readOnly });
    expect(proposal).toEqual({
      class: 'write',
      because: expect.stringContaining(because) as string,
    });
  });

  it('is write without the hint, however the name looks', () => {
    expect(proposed('read_file', {})).toBe('write');
    expect(proposed('read_file', { annotations: {} })).toBe('write');
    expect(proposed('read_file', { annotations: null })).toBe('write');
    expect(proposed('read_file', { annotations: { readOnlyHint: false } })).toBe('write');
    expect(proposed('read_file', { annotations: { readOnlyHint: 'true' } })).toBe('write');
  });

  it('is write when the hints contradict each other', () => {
    expect(
      proposed('read_file', { annotations: { readOnlyHint: true, destructiveHint: true } }),
    ).toBe('write');
    expect(
      proposed('read_file', { annotations: { readOnlyHint: true, destructiveHint: false } }),
    ).toBe('read');
  });

  it.each<[argument: string, schema: unknown, expected: string]>([
    ['method', { enum: ['get', 'list_comments'] }, 'read'],
    ['method', { enum: ['get', 'delete'] }, 'write'],
    ['action', { enum: ['get', 'frobnicate'] }, 'write'],
    ['Operation', { enum: ['get', 7] }, 'write'],
    ['command', { type: 'string' }, 'write'],
    ['operation', { const: 'get' }, 'read'],
    ['colour', { enum: ['delete'] }, 'read'],
  ])('of a tool whose argument %s is %j is %s', (argument, schema, expected) => {
    const inputSchema = { type: 'object', properties: { [argument]: schema } };
    expect(proposed('get_thing', { annotations: readOnly, inputSchema })).toBe(expected);
  });

  it('is never read without a read-only hint, and always comes with a sentence, whatever a server sends', () => {
    const fields = fc.dictionary(
      fc.constantFrom('annotations', 'inputSchema', 'description'),
      fc.oneof(
        fc.jsonValue(),
        fc.record({ readOnlyHint: fc.jsonValue(), properties: fc.jsonValue() }),
      ),
    );
    const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('get_a', 'read', 'list_b'));
    fc.assert(
      fc.property(name, fields, (named, rest) => {
        const proposal = proposeClass({ ...rest, name: named });
        const hints = rest['annotations'] as { readOnlyHint?: unknown } | null | undefined;
        expect(proposal.class === 'write' || hints?.readOnlyHint === true).toBe(true);
        expect(proposal.because).toMatch(/^[A-Z].*\.$/s);
      }),
    );
  });
});
