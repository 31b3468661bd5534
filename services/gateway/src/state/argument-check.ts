import { Refusal } from '@gatehouse/problem-catalog';
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Throws `arguments-invalid` for arguments that break the schema it was made from. */
export type ArgumentCheck = (given: unknown) => void;

const MAX_SCHEMA_BYTES = 256 * 1024;

// `format` is an annotation since 2019-09, and unknown keywords are legal: neither may make a schema unusable.
const options: Options = {
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  allErrors: false,
  logger: false,
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
 * unusable, and a tool whose schema is unusable refuses every call.
 */
export function compileArguments(schema: unknown): ArgumentCheck {
  let validate: ReturnType<Ajv['compile']>;
  try {
    validate = validatorOf(schema);
  } catch (cause) {
    const internal = `the approved schema cannot be checked: ${(cause as Error).message}`;
    return () => {
      throw new Refusal('arguments-invalid', { internal, cause });
    };
  }
  return (given) => {
    if (!validate(given)) {
      throw new Refusal('arguments-invalid', { detail: sentence(validate.errors?.[0]) });
    }
  };
}

function validatorOf(schema: unknown): ReturnType<Ajv['compile']> {
  if (typeof schema !== 'object' || schema === null) throw new Error('it is no object');
  if (JSON.stringify(schema).length > MAX_SCHEMA_BYTES) throw new Error('it is too large');
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
