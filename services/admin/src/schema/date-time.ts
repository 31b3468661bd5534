import { GraphQLError, GraphQLScalarType } from 'graphql';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** ISO 8601 with a zone in, UTC with milliseconds out. */
export const dateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  serialize: (value) => {
    const date = value instanceof Date ? value : new Date(String(value));
    if (Number.isNaN(date.getTime())) throw new TypeError('not an instant');
    return date.toISOString();
  },
  parseValue: (value) => {
    const date = new Date(typeof value === 'string' && INSTANT.test(value) ? value : Number.NaN);
    if (Number.isNaN(date.getTime()))
      throw new GraphQLError('an instant is written like `2026-01-31T12:00:00.000Z`');
    return date.toISOString();
  },
});

/** Any JSON value, untouched. */
export const jsonScalar = new GraphQLScalarType<unknown, unknown>({ name: 'JSON' });
