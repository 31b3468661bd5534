import { Refusal } from '@gatehouse/problem-catalog';
import type { z } from 'zod';

type Issue = Parameters<z.core.$ZodErrorMap>[0];
type Path = readonly PropertyKey[];

// A body can be wrong in thousands of places; who mends the first few learns of the others.
const MOST = 10;

/**
 * The value as its schema reads it, else `request-invalid` with `field: sentence; field: sentence`. `asWritten` leads
 * from the path of a field to its path in what the caller wrote, where that is not the same.
 */
export function checkShape<S extends z.ZodType>(
  schema: S,
  value: unknown,
  asWritten: (path: Path) => Path = (path) => path,
): z.infer<S> {
  const parsed = schema.safeParse(value, { error: sentenceOn });
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.slice(0, MOST).map(({ path, message }) => {
    const field = asWritten(path).join('.');
    return `${field === '' ? 'the input' : field}: ${message}`;
  });
  throw new Refusal('request-invalid', { detail: findings.join('; ') });
}

/** What a schema does not say in words of its own. */
function sentenceOn(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'must be given' : `must be of the type ${issue.expected}`;
    case 'too_small':
      return bound(issue.origin, 'least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, 'most', issue.maximum);
    case 'invalid_format':
      return FORMATS[issue.format] ?? `must be a valid ${issue.format}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'unrecognized_keys':
      return `has no field ${issue.keys.join(', ')}`;
    case 'invalid_key':
      return 'is not a name that is allowed here';
    default:
      return 'does not have a form that is allowed here';
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be an instant such as 2026-01-31T12:00:00Z',
  email: 'must be an email address',
  regex: 'does not have a form that is allowed here',
  url: 'must be a URL',
};

function bound(origin: string, side: 'least' | 'most', limit: number | bigint): string {
  const unit = { string: 'character', array: 'entry', object: 'field' }[origin];
  if (unit === undefined) return `must be at ${side} ${limit}`;
  return `must have at ${side} ${limit} ${Number(limit) === 1 ? unit : plural(unit)}`;
}

function plural(unit: string): string {
  return unit === 'entry' ? 'entries' : `${unit}s`;
}
