export { printSchema, printSchemaTypes } from '@gatehouse/admin';
export { loadSettings, sections, type Settings } from './settings.ts';
export { migrationPlans } from './schemas.ts';
export {
  declaredMetrics,
  rebuildReadModels,
  startStandalone,
  type Standalone,
} from './standalone.ts';
export { askGraphQL, GraphQLFailure } from './graphql-client.ts';
export {
  Administrator,
  type ReviewedTool,
  type ToolRule,
  type TransportInput,
} from './demo/administrator.ts';
export { connectCaller, type CallResult, type McpCaller } from './demo/mcp-caller.ts';
export { readTrail, type TrailRow } from './audit-trail.ts';
export { migrateConfig } from './command-line/migrate.ts';
export { topicsConfig } from './command-line/topics.ts';
