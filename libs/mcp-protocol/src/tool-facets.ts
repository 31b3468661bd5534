import type { RawTool } from '@gatehouse/event-catalog';
import { normalizeSchema, schemaTexts } from './schema-walk.ts';

type Fields = Record<string, unknown>;

/** What a tool does, what the model reads of it, and what only decorates it: see reference §7. */
export interface ToolFacets {
  readonly behavior: Fields;
  readonly modelText: Fields;
  readonly cosmetic: Fields;
}

/**
 * Sorts a tool's fields into facets.
 * - `modelText`: title, description, annotations.title, and the texts within both schemas.
 * - `cosmetic`: icons, and `_meta` but for what is governed or left out.
 * - `behavior`: everything else: name, both schemas whole, annotations but their title, execution, governed `_meta`, and
 *   any field unknown today, since clients are served it too.
 * Left out: `ttlMs`, `cacheScope` and `_meta` keys reserved by the protocol, which servers vary freely.
 */
export function facetsOf(tool: RawTool): ToolFacets {
  const { title, description, icons, inputSchema, outputSchema, annotations, _meta, ...rest } =
    tool as Fields;
  delete rest['ttlMs'];
  delete rest['cacheScope'];
  const meta = splitMeta(_meta);
  return {
    behavior: present({
      ...rest,
      inputSchema: normalizeSchema(inputSchema),
      outputSchema: normalizeSchema(outputSchema),
      annotations: without(annotations, 'title'),
      _meta: meta.governed,
    }),
    modelText: present({
      title,
      description,
      annotationsTitle: isFields(annotations) ? annotations['title'] : undefined,
      inputSchema: schemaTexts(inputSchema),
      outputSchema: schemaTexts(outputSchema),
    }),
    cosmetic: present({ icons, _meta: meta.other }),
  };
}

// A user interface that the client runs is behaviour, under whichever key it is announced.
const GOVERNED_META = /^(?:io\.modelcontextprotocol\/ui|ui|openai)(?:\/|$)/;
const RESERVED_META = /^io\.modelcontextprotocol\//;

function splitMeta(meta: unknown): { governed: unknown; other: unknown } {
  if (!isFields(meta)) return { governed: undefined, other: meta };
  const governed = Object.entries(meta).filter(([key]) => GOVERNED_META.test(key));
  const other = Object.entries(meta).filter(
    ([key]) => !GOVERNED_META.test(key) && !RESERVED_META.test(key),
  );
  return { governed: unlessEmpty(governed), other: unlessEmpty(other) };
}

function unlessEmpty(entries: [string, unknown][]): Fields | undefined {
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function without(value: unknown, key: string): unknown {
  return isFields(value)
    ? unlessEmpty(Object.entries(value).filter(([name]) => name !== key))
    : value;
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
