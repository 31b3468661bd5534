import { GraphQLError, valueFromASTUntyped, type GraphQLScalarTypeConfig } from 'graphql';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** How the scalar `DateTime` is read and written: ISO 8601 with a zone in, UTC with milliseconds out. */
export const dateTime: Pick<
  Required<GraphQLScalarTypeConfig<string, string>>,
  'serialize' | 'parseValue' | 'parseLiteral'
> = {
  serialize: (value) => instantOf(value instanceof Date ? value.toISOString() : value),
  parseValue: instantOf,
  parseLiteral: (node, variables) => instantOf(valueFromASTUntyped(node, variables)),
};

function instantOf(value: unknown): string {
  const date = new Date(typeof value === 'string' && INSTANT.test(value) ? value : Number.NaN);
  if (Number.isNaN(date.getTime()))
    throw new GraphQLError('an instant is written like `2026-01-31T12:00:00.000Z`');
  return date.toISOString();
}
