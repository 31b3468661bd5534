import { z } from 'zod';

/** The part of JSON Schema that zod writes for the shapes of this repo. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** One line of a table of fields: `tools[].definition.name` and what may stand there. */
export interface Field {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The JSON Schema of a zod schema, as readers of the wire see it. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    // A format says it; the regular expression beside it is the library's, and changes with its versions.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  }) as JsonSchema;
}

/** The fields of an object, nested ones by their path. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const field = {
      path,
      type: typeOf(property),
      required: schema.required?.includes(name) ?? false,
      description: property.description ?? '',
    };
    const nested = property.items?.properties === undefined ? property : property.items;
    const step = nested === property ? '.' : '[].';
    return [field, ...fieldsOf(nested, `${path}${step}`)];
  });
}

/** What may stand in a place, in a few words. */
export function typeOf(schema: JsonSchema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object') return typeOfObject(schema);
  if (schema.format !== undefined && schema.type === 'string') return schema.format;
  return typeof schema.type === 'string' ? schema.type : 'anything';
}

function typeOfObject({ properties, additionalProperties }: JsonSchema): string {
  const names = Object.keys(properties ?? {});
  if (names.length > 0) {
    const kind = properties?.['kind']?.const;
    return `object${kind === undefined ? '' : ` of kind ${JSON.stringify(kind)}`} (${names.join(', ')})`;
  }
  return typeof additionalProperties === 'object'
    ? `map of ${typeOf(additionalProperties)}`
    : 'object';
}
