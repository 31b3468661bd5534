type Fields = Record<string, unknown>;

const MAX_DEPTH = 200;

// Keywords whose value maps names, which are no keywords, to schemas.
const SCHEMA_MAPS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

// Keywords whose value is a schema or an array of schemas. What stands under any other keyword is data.
const SCHEMAS = new Set([
  'items',
  'prefixItems',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'contentSchema',
]);

const TEXTS = new Set(['title', 'description', 'enum', 'default', 'examples']);
const SETS = new Set(['required', 'type']);

/** A schema with the arrays whose order means nothing, `required` and `type`, sorted; all else exactly as it is. */
export function normalizeSchema(schema: unknown, depth = 0): unknown {
  if (!isFields(schema)) return schema;
  const inner = (value: unknown): unknown => normalizeSchema(value, deeper(depth));
  return mapFields(schema, (keyword, value) => {
    if (SETS.has(keyword) && isNames(value)) return value.toSorted();
    return mapSchemas(keyword, value, inner) ?? value;
  });
}

/** What a model reads of a schema, each in its place: titles, descriptions, enumerations, defaults, examples; undefined when there is nothing to read. */
export function schemaTexts(schema: unknown, depth = 0): unknown {
  if (!isFields(schema)) return undefined;
  const inner = (value: unknown): unknown => schemaTexts(value, deeper(depth));
  const texts = mapFields(schema, (keyword, value) =>
    TEXTS.has(keyword) ? value : unlessEmpty(mapSchemas(keyword, value, inner)),
  );
  return unlessEmpty(texts);
}

/** Maps the schemas that a keyword holds; undefined for a keyword that holds none. */
function mapSchemas(keyword: string, value: unknown, map: (schema: unknown) => unknown): unknown {
  if (SCHEMA_MAPS.has(keyword) && isFields(value)) {
    return mapFields(value, (_name, schema) => map(schema));
  }
  if (!SCHEMAS.has(keyword)) return undefined;
  // An array keeps its places: which of `anyOf` a text belongs to matters.
  return Array.isArray(value) ? value.map((schema) => map(schema) ?? null) : map(value);
}

function unlessEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.every((entry) => entry === null) ? undefined : value;
  return isFields(value) && Object.keys(value).length === 0 ? undefined : value;
}

function deeper(depth: number): number {
  if (depth >= MAX_DEPTH) throw new Error(`a schema is nested deeper than ${MAX_DEPTH}`);
  return depth + 1;
}

function mapFields(fields: Fields, map: (key: string, value: unknown) => unknown): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .map(([key, value]) => [key, map(key, value)] as const)
      .filter(([, mapped]) => mapped !== undefined),
  );
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
