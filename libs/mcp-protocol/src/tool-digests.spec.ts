import { createHash } from 'node:crypto';
import type { RawTool, ToolDigests } from '@gatehouse/event-catalog';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toolDigests } from './index.ts';

type Facet = keyof ToolDigests;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const tool: RawTool = {
  name: 'export_orders',
  title: 'Export',
  description: 'Writes orders to a file.',
  icons: [{ src: 'https://example.org/a.png' }],
  inputSchema: {
    type: 'object',
    required: ['path', 'format'],
    properties: {
      path: { type: 'string', description: 'Where to.' },
      format: { type: ['string', 'null'], enum: ['csv', 'json'], default: 'csv' },
      title: { type: 'string' },
    },
  },
  outputSchema: { type: 'object', properties: { rows: { type: 'integer', title: 'Rows' } } },
  annotations: { title: 'Export orders', readOnlyHint: false, destructiveHint: true },
  execution: { taskSupport: 'optional' },
  _meta: {
    'io.modelcontextprotocol/related': 1,
    ui: { resourceUri: 'ui://orders' },
    'acme/colour': 'red',
  },
};

function moved(changed: RawTool, from: RawTool = tool): Facet[] {
  const [before, after] = [toolDigests(from), toolDigests(changed)];
  return (Object.keys(before) as Facet[]).filter((facet) => before[facet] !== after[facet]);
}

/** The tool with the value at a path replaced, or removed when undefined. */
function withValue(path: string, value: unknown): RawTool {
  const copy = structuredClone(tool) as Record<string, unknown>;
  const keys = path.split('>');
  const last = keys.pop() ?? '';
  let at = copy;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy as RawTool;
}

describe('the digests of a tool', () => {
  it('are the SHA-256 of these canonical texts', () => {
    expect(toolDigests(tool)).toEqual({
      behavior: sha256(
        '{"_meta":{"ui":{"resourceUri":"ui://orders"}},"annotations":{"destructiveHint":true,"readOnlyHint":false},' +
          '"execution":{"taskSupport":"optional"},"inputSchema":{"properties":{"format":{"default":"csv",' +
          '"enum":["csv","json"],"type":["null","string"]},"path":{"description":"Where to.","type":"string"},' +
          '"title":{"type":"string"}},"required":["format","path"],"type":"object"},"name":"export_orders",' +
          '"outputSchema":{"properties":{"rows":{"title":"Rows","type":"integer"}},"type":"object"}}',
      ),
      modelText: sha256(
        '{"annotationsTitle":"Export orders","description":"Writes orders to a file.","inputSchema":{"properties":' +
          '{"format":{"default":"csv","enum":["csv","json"]},"path":{"description":"Where to."}}},' +
          '"outputSchema":{"properties":{"rows":{"title":"Rows"}}},"title":"Export"}',
      ),
      cosmetic: sha256(
        '{"_meta":{"acme/colour":"red"},"icons":[{"src":"https://example.org/a.png"}]}',
      ),
    });
  });

  it('are these for ever: approvals in the field are pinned to them', () => {
    expect(toolDigests(tool)).toEqual({
      behavior: '7620bcc13235512510663a6c2521ad084191e177820e10aab692b860f4f1bb72',
      modelText: 'dc077d9f34282df4014ba77a30b302e97d4331247aae5496808c03f6b2b10d10',
      cosmetic: '57370e0395b8002e1c561ea01b657884d9cfa7d746ee4272f3e9cc22fe976f2f',
    });
    expect(toolDigests({ name: 'ping' })).toEqual({
      behavior: '3f1b5ce7170804143ea6c840825f11e1fce1aed30dba5b7f0d83220f84066889',
      modelText: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      cosmetic: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    });
  });

  it.each<[path: string, value: unknown, facets: Facet[]]>([
    ['name', 'export', ['behavior']],
    ['inputSchema>required', ['path'], ['behavior']],
    ['inputSchema>required', ['format', 'path'], []],
    ['inputSchema>properties>format>type', ['null', 'string'], []],
    ['inputSchema>properties>path>type', 'integer', ['behavior']],
    ['inputSchema>properties>path>x-mcp-header', 'Path', ['behavior']],
    ['inputSchema>properties>path>description', 'Anywhere.', ['behavior', 'modelText']],
    ['inputSchema>properties>format>enum', ['json', 'csv'], ['behavior', 'modelText']],
    ['inputSchema>properties>format>default', 'json', ['behavior', 'modelText']],
    ['inputSchema>properties>path>examples', ['/etc/passwd'], ['behavior', 'modelText']],
    ['inputSchema>properties>title', { type: 'number' }, ['behavior']],
    ['inputSchema>properties>title', { type: 'string', title: 'T' }, ['behavior', 'modelText']],
    ['inputSchema>properties>path>anyOf', [{ title: 'T' }, {}], ['behavior', 'modelText']],
    ['inputSchema>anyOf', [{ required: ['path'] }, {}], ['behavior']],
    ['inputSchema>$defs', { description: { type: 'string' } }, ['behavior']],
    ['inputSchema>const', { title: 'T' }, ['behavior']],
    ['outputSchema>properties>rows>type', 'number', ['behavior']],
    ['outputSchema>properties>rows>title', 'Lines', ['behavior', 'modelText']],
    ['outputSchema', undefined, ['behavior', 'modelText']],
    ['annotations>readOnlyHint', true, ['behavior']],
    ['annotations>futureHint', true, ['behavior']],
    ['annotations>title', 'Import orders', ['modelText']],
    ['execution>taskSupport', 'required', ['behavior']],
    ['title', 'Import', ['modelText']],
    ['description', undefined, ['modelText']],
    ['icons', undefined, ['cosmetic']],
    ['_meta>acme/colour', 'blue', ['cosmetic']],
    ['_meta>ui', { resourceUri: 'ui://evil' }, ['behavior']],
    ['_meta>ui/resourceUri', 'ui://evil', ['behavior']],
    ['_meta>openai/outputTemplate', 'ui://evil', ['behavior']],
    ['_meta>io.modelcontextprotocol/ui', { resourceUri: 'ui://evil' }, ['behavior']],
    ['_meta>io.modelcontextprotocol/related', 2, []],
    ['ttlMs', 60_000, []],
    ['cacheScope', 'public', []],
    ['fieldOfTomorrow', true, ['behavior']],
  ])('after a change of %s to %j move in %j', (path, value, facets) => {
    expect(moved(withValue(path, value))).toEqual(facets);
  });

  it('do not sort arrays within data, where order may mean something', () => {
    const data = { required: ['b', 'a'], type: ['b', 'a'] };
    const turned = { required: ['a', 'b'], type: ['a', 'b'] };
    for (const keyword of ['default', 'const', 'examples', 'x-data', 'dependentRequired']) {
      const inputSchema = { [keyword]: data };
      expect(
        moved({ name: 't', inputSchema: { [keyword]: turned } }, { name: 't', inputSchema }),
      ).toContain('behavior');
    }
  });

  it('do not depend on the order of keys, at any depth', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).toReversed();
      return Object.fromEntries(entries.map(([key, inner]) => [key, shuffled(inner)]));
    };
    expect(moved(shuffled(tool) as RawTool)).toEqual([]);
    const field = fc.constantFrom(
      'inputSchema',
      'annotations',
      '_meta',
      'icons',
      'properties',
      'x',
    );
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (fields) => {
        const raw: RawTool = { ...fields, name: 't' };
        expect(moved(shuffled(raw) as RawTool, raw)).toEqual([]);
      }),
    );
  });

  it('move in the facet of a field exactly when its value does', () => {
    const fields: Record<string, Facet> = {
      title: 'modelText',
      description: 'modelText',
      icons: 'cosmetic',
      execution: 'behavior',
      unheardOf: 'behavior',
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(fields)),
        fc.jsonValue(),
        fc.jsonValue(),
        (field, before, after) => {
          // What JSON text cannot tell apart, such as 0 and -0, is one value.
          const [a, b] = [
            toolDigests({ name: 't', x: before }),
            toolDigests({ name: 't', x: after }),
          ];
          const expected = a.behavior === b.behavior ? [] : [fields[field]];
          expect(moved({ ...tool, [field]: after }, { ...tool, [field]: before })).toEqual(
            expected,
          );
        },
      ),
    );
  });

  it('tell composed from decomposed characters, for a change is a change', () => {
    const composed = { name: 't', description: 'caf\u00e9' };
    expect(moved({ name: 't', description: 'cafe\u0301' }, composed)).toEqual(['modelText']);
    expect(moved({ name: 't', description: 'caf\u00e9\u200b' }, composed)).toEqual(['modelText']);
  });

  it('see a key that is named like the prototype', () => {
    const hostile = JSON.parse('{"name":"t","__proto__":{"a":1}}') as RawTool;
    expect(moved(hostile, { name: 't' })).toEqual(['behavior']);
  });

  it.each([
    ['a lone surrogate in a text', { name: 't', description: 'x\ud800' }],
    ['a lone surrogate in a key', { name: 't', inputSchema: { 'x\udc00': 1 } }],
    ['a number that JSON cannot hold', { name: 't', x: Number.NaN }],
  ])('are refused for %s', (_what, raw) => {
    expect(() => toolDigests(raw)).toThrow(
      expect.objectContaining({ code: 'upstream-garbled' }) as Error,
    );
  });

  it('are refused for a schema nested without end, not overrun by it', () => {
    let inputSchema: Record<string, unknown> = {};
    for (let depth = 0; depth < 100_000; depth += 1) inputSchema = { not: inputSchema };
    expect(() => toolDigests({ name: 't', inputSchema })).toThrow(
      expect.objectContaining({ code: 'upstream-garbled' }) as Error,
    );
  });
});
