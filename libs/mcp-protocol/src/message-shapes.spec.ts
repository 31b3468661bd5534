import { describe, expect, it } from 'vitest';
import {
  callToolParamsSchema,
  callToolResultSchema,
  initializeParamsSchema,
  listToolsParamsSchema,
  listToolsResultSchema,
} from './index.ts';

describe('the shapes on the wire', () => {
  it('keep what they do not know', () => {
    const params = { name: 'read', arguments: { path: '/a', deep: { x: [1] } }, task: { ttl: 1 } };
    expect(callToolParamsSchema.parse(params)).toEqual(params);
    const result = { content: [{ type: 'hologram', beam: 1 }], isError: true, resultType: 'task' };
    expect(callToolResultSchema.parse(result)).toEqual(result);
    const list = { tools: [{ name: 'a', outputSchema: true, novel: { x: 1 } }], nextCursor: '' };
    expect(listToolsResultSchema.parse(list)).toEqual(list);
  });

  it('take the call of a tool without arguments, and a list without params', () => {
    expect(callToolParamsSchema.safeParse({ name: 'ping' }).success).toBe(true);
    expect(listToolsParamsSchema.safeParse(undefined).success).toBe(true);
    expect(listToolsParamsSchema.safeParse({ cursor: '' }).success).toBe(true);
  });

  it.each([
    ['a call without a name', callToolParamsSchema, { arguments: {} }],
    ['a call of a nameless tool', callToolParamsSchema, { name: '' }],
    ['a call with a list of arguments', callToolParamsSchema, { name: 'a', arguments: [] }],
    ['a cursor that is no text', listToolsParamsSchema, { cursor: 1 }],
    [
      'an initialize without a version',
      initializeParamsSchema,
      { capabilities: {}, clientInfo: { name: 'a', version: '1' } },
    ],
    [
      'a list of tools of which one has no name',
      listToolsResultSchema,
      { tools: [{ name: 'a' }, {}] },
    ],
    ['a result that is no list of tools', listToolsResultSchema, { tools: {} }],
    ['content without a type', callToolResultSchema, { content: [{}] }],
  ])('refuse %s', (_what, schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});
