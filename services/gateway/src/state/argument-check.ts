import { boundSchema } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { boundedPattern } from './bounded-pattern.ts';
import { NeedsDeadline, withinTime } from './within-time.ts';

/** Throws `arguments-invalid` for arguments that break the schema it was made from. */
export type ArgumentCheck = (given: unknown) => void;

type Validate = ValidateFunction;

/** A check that takes longer is stopped, and its arguments refused: it would hold up every other call. */
const DEADLINE_MS = 200;
const MANY_PARTS = 2_000;

// `format` is an annotation since 2019-09, and unknown keywords are legal: neither may make a schema unusable.
const options: Options = {
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  allErrors: false,
  logger: false,
  // Both keep the time of compiling linear in the size of the schema.
  inlineRefs: false,
  code: {
    optimize: false,
    // The name by which code that is generated to be saved would refer to it; ours is not saved.
    regExp: Object.assign(boundedPattern, { code: 'boundedPattern' }),
  },
};

// Many deployed servers still declare draft 7; what declares nothing is 2020-12 by the MCP specification.
const dialects: readonly [RegExp, () => Ajv][] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, () => new Ajv2020(options)],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, () => new Ajv2019(options)],
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, () => new Ajv(options)],
];
const DEFAULT_DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * Compiles the check of a tool's arguments. No `$ref` is ever fetched: one that leads outside the schema makes it
 * unusable, and a tool whose schema is unusable, or might cost too much, refuses every call.
 */
export function compileArguments(schema: unknown): ArgumentCheck {
  let validate: Validate;
  const cost = boundSchema(schema);
  try {
    if (cost.kind === 'refused') throw new Error(`it ${cost.why}`);
    validate = validatorOf(schema);
  } catch (cause) {
    const internal = `the approved schema cannot be checked: ${(cause as Error).message}`;
    return () => {
      throw new Refusal('arguments-invalid', { internal, cause });
    };
  }
  return (given) => {
    if (!passes(validate, given, cost.kind === 'recursive')) {
      throw new Refusal('arguments-invalid', { detail: sentence(validate.errors?.[0]) });
    }
  };
}

function passes(validate: Validate, given: unknown, isRecursive: boolean): boolean {
  try {
    if (!isRecursive && countParts(given, MANY_PARTS) < MANY_PARTS) return validate(given);
  } catch (failure) {
    if (!(failure instanceof NeedsDeadline)) throw unchecked(failure);
  }
  try {
    return withinTime(DEADLINE_MS, () => validate(given));
  } catch (failure) {
    throw unchecked(failure);
  }
}

function unchecked(cause: unknown): Refusal {
  return new Refusal('arguments-invalid', {
    detail: 'Invalid arguments: They take too long to be checked against the schema of the tool.',
    internal: `the check of the arguments failed: ${(cause as Error).message}`,
    cause,
  });
}

/** How many values there are in a value, itself included; counted to the limit and no further. */
function countParts(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const inner of Object.values(value)) {
    if (count >= limit) break;
    count += countParts(inner, limit - count);
  }
  return count;
}

function validatorOf(schema: unknown): Validate {
  if (typeof schema !== 'object' || schema === null) throw new Error('it is no object');
  const { $schema = DEFAULT_DIALECT, ...rest } = schema as Record<string, unknown>;
  const dialect = dialects.find(([names]) => typeof $schema === 'string' && names.test($schema));
  if (dialect === undefined) throw new Error('its dialect is not known');
  if (rest['$async'] !== undefined) throw new Error('it is asynchronous');
  return dialect[1]().compile(rest);
}

// Names the place and the rule, never the value: an error text may end up where arguments must not.
function sentence(error: ErrorObject | undefined): string {
  const place =
    error?.instancePath === undefined || error.instancePath === ''
      ? 'The arguments'
      : `\`${error.instancePath}\``;
  const rule = error?.message ?? 'do not match the schema of the tool';
  return `Invalid arguments: ${place} ${rule}.`;
}
