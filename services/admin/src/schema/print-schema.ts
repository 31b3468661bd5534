import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeTypeDefs } from '@graphql-tools/merge';
import {
  buildASTSchema,
  lexicographicSortSchema,
  printSchema as print,
  type GraphQLSchema,
} from 'graphql';

// Both `src/schema` and `dist/schema` lie two levels below the service.
const sources = fileURLToPath(new URL('../../src', import.meta.url));

/** The schema that the `.graphql` files beside the resolvers make together. */
export function readSchemaSources(): GraphQLSchema {
  const documents = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.graphql'))
    .toSorted()
    .map((path) => readFileSync(join(sources, path), 'utf8'));
  return lexicographicSortSchema(buildASTSchema(mergeTypeDefs(documents)));
}

/** The text of `services/admin/schema.graphql`: every `.graphql` file of this service in one, sorted. */
export function printSchema(): string {
  return `${print(readSchemaSources())}\n`;
}
