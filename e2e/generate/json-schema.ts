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

/** The fields of an object, nested ones by their path; of a union of objects, each kind's in turn. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const field = {
      path,
      type: typeOf(property),
      required: schema.required?.includes(name) ?? false,
      description: property.description ?? '',
    };
    return [field, ...nestedFields(property, path)];
  });
}

/** The kinds of a message that is a union of objects; a message of one shape is its own only kind. */
export function kindsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? [schema];
}

function nestedFields(schema: JsonSchema, path: string): Field[] {
  if (schema.items !== undefined) return nestedFields(schema.items, `${path}[]`);
  const objects = (schema.anyOf ?? schema.oneOf ?? [schema]).filter(
    ({ properties }) => properties !== undefined,
  );
  return objects.flatMap((object) =>
    fieldsOf(object, objects.length === 1 ? `${path}.` : `${path}(${kindOf(object)}).`),
  );
}

function kindOf({ properties = {} }: JsonSchema): string {
  const kind = properties['kind']?.const;
  return typeof kind === 'string' ? kind : Object.keys(properties).join(' and ');
}

/** What may stand in a place, in a few words. */
export function typeOf(schema: JsonSchema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  const values = schema.const === undefined ? schema.enum : [schema.const];
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'string') return schema.format ?? 'string';
  if (schema.type === 'object') return typeOfObject(schema);
  return [schema.type ?? 'anything'].flat().join(' or ');
}

function typeOfObject({ properties, additionalProperties }: JsonSchema): string {
  if (properties !== undefined || typeof additionalProperties !== 'object') return 'object';
  return `map of ${typeOf(additionalProperties)}`;
}
