import type { JsonObject } from './classify-message.ts';

/**
 * What checking values against a JSON Schema may cost: too much to be borne, with the reason; a bounded amount for a
 * value of bounded size; or, where it refers to itself, an amount that only a deadline can bound.
 */
export type SchemaCost =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'bounded' | 'recursive' };

const MAX_BYTES = 256 * 1024;
const MAX_SUBSCHEMAS = 2_000;
const MAX_DEPTH = 128;
const MAX_PATHS = 20_000;

/** Where a schema holds schemas, and whether these apply to a part of the value rather than to the value itself. */
const places: readonly (readonly [keyword: string, descends: boolean])[] = [
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'].map((name) => [name, false] as const),
  ...['items', 'prefixItems', 'additionalItems', 'unevaluatedItems', 'contains'].map(
    (name) => [name, true] as const,
  ),
  ...['additionalProperties', 'unevaluatedProperties', 'propertyNames'].map(
    (name) => [name, true] as const,
  ),
];
const maps: readonly (readonly [keyword: string, descends: boolean])[] = [
  ['properties', true],
  ['patternProperties', true],
  ['dependentSchemas', false],
  ['dependencies', false],
];
const definitions = ['$defs', 'definitions'];

/** Weighs a schema before anybody compiles it; a few hundred bytes of `$ref` can cost seconds for each value. */
export function boundSchema(schema: unknown): SchemaCost {
  if (!isObject(schema)) return { kind: 'bounded' };
  try {
    return new Weighing(schema).weigh();
  } catch (error) {
    if (error instanceof TooCostly) return { kind: 'refused', why: error.message };
    throw error;
  }
}

class TooCostly extends Error {}

class Weighing {
  readonly #root: JsonObject;
  readonly #paths = new Map<JsonObject, number>();
  /** The schemas that lead to where the walk is, each with how far into the value it applies. */
  readonly #open = new Map<JsonObject, number>();
  #recursive = false;
  #count = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  weigh(): SchemaCost {
    this.#countIn(this.#root, 0);
    if (JSON.stringify(this.#root).length > MAX_BYTES) {
      throw new TooCostly(`is larger than ${MAX_BYTES} bytes`);
    }
    this.#pathsThrough(this.#root, 0);
    return { kind: this.#recursive ? 'recursive' : 'bounded' };
  }

  #countIn(schema: JsonObject, depth: number): void {
    this.#count += 1;
    if (this.#count > MAX_SUBSCHEMAS) throw new TooCostly(`has more than ${MAX_SUBSCHEMAS} parts`);
    if (depth > MAX_DEPTH) throw new TooCostly(`is nested deeper than ${MAX_DEPTH} levels`);
    // References below an inner `$id`, and dynamic ones, lead elsewhere than is followed here.
    if (depth > 0 && '$id' in schema) this.#recursive = true;
    if ('$dynamicRef' in schema || '$recursiveRef' in schema) this.#recursive = true;
    for (const [inner] of partsOf(schema)) this.#countIn(inner, depth + 1);
    for (const name of definitions) {
      const defined = schema[name];
      if (!isObject(defined)) continue;
      for (const inner of Object.values(defined).filter(isObject)) this.#countIn(inner, depth + 1);
    }
  }

  /** How many ways lead through a schema when every reference is followed: what one value may cost at worst. */
  #pathsThrough(schema: JsonObject, into: number): number {
    const known = this.#paths.get(schema);
    if (known !== undefined) return known;
    if (this.#open.has(schema)) return this.#comesBackTo(schema, into);
    if (this.#open.size > MAX_DEPTH) {
      throw new TooCostly(`is deeper than ${MAX_DEPTH} levels when its references are followed`);
    }
    this.#open.set(schema, into);
    let paths = 1;
    for (const [inner, descends] of partsOf(schema)) {
      paths += this.#pathsThrough(inner, descends ? into + 1 : into);
    }
    const target = this.#targetOf(schema['$ref']);
    if (target !== undefined) paths += this.#pathsThrough(target, into);
    this.#open.delete(schema);
    if (paths > MAX_PATHS) {
      throw new TooCostly(`has more than ${MAX_PATHS} parts when its references are followed`);
    }
    this.#paths.set(schema, paths);
    return paths;
  }

  #comesBackTo(schema: JsonObject, into: number): number {
    if (this.#open.get(schema) === into) throw new TooCostly('refers to itself without end');
    this.#recursive = true;
    return 1;
  }

  #targetOf(reference: unknown): JsonObject | undefined {
    if (typeof reference !== 'string') return undefined;
    const target = reference.startsWith('#') ? follow(this.#root, reference.slice(1)) : undefined;
    // An anchor, or somewhere else altogether: what it leads to, if to anything, is not weighed here.
    if (target === undefined) this.#recursive = true;
    return isObject(target) ? target : undefined;
  }
}

function* partsOf(schema: JsonObject): Generator<readonly [JsonObject, boolean]> {
  for (const [keyword, descends] of places) {
    const held = schema[keyword];
    for (const part of Array.isArray(held) ? (held as unknown[]) : [held]) {
      if (isObject(part)) yield [part, descends];
    }
  }
  for (const [keyword, descends] of maps) {
    const held = schema[keyword];
    if (!isObject(held)) continue;
    for (const part of Object.values(held)) if (isObject(part)) yield [part, descends];
  }
}

function follow(root: JsonObject, pointer: string): unknown {
  if (pointer === '') return root;
  if (!pointer.startsWith('/')) return undefined;
  let at: unknown = root;
  for (const part of pointer.slice(1).split('/')) {
    if (typeof at !== 'object' || at === null) return undefined;
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = Object.hasOwn(at, key) ? (at as JsonObject)[key] : undefined;
  }
  return at;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
