import { fileURLToPath } from 'node:url';
import { loadFilesSync } from '@graphql-tools/load-files';
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
  const documents = loadFilesSync(sources, { extensions: ['graphql'] });
  return lexicographicSortSchema(buildASTSchema(mergeTypeDefs(documents)));
}

/** The text of `services/admin/schema.graphql`: every `.graphql` file of this service in one, sorted. */
export function printSchema(): string {
  return `${print(readSchemaSources())}\n`;
}
