export { actorSchema, type Actor, type EventEnvelope } from './envelope.ts';
export { defineEvent, SERVICES, type EventDefinition, type ServiceName } from './define-event.ts';
export {
  commandEnvelopeSchema,
  commandReceiptSchema,
  message,
  type CommandReceipt,
  type ContractTable,
  type MessageContract,
  type RequestOf,
  type ResultOf,
} from './define-command.ts';
export {
  catalog,
  findDefinition,
  type DomainEvent,
  type EventData,
  type EventOf,
  type EventType,
  type RecordedEvent,
} from './catalog.ts';
export { upcastWith, type TypedData, type Upcaster } from './upcast.ts';
export { upcast, upcasters } from './upcasters.ts';
export { deadLetterTopicOf, topicOf, topics, type TopicDefinition } from './topics.ts';
export { identityCommands } from './identity/commands.ts';
export { policyCommands } from './policy/commands.ts';
export { registryCommands } from './registry/commands.ts';
export {
  auditQueries,
  auditFilterSchema,
  auditRowSchema,
  type AuditFilter,
  type AuditRow,
} from './audit/queries.ts';
export {
  assigneeSchema,
  principalRefSchema,
  type Assignee,
  type PrincipalRef,
} from './identity/principal-ref.ts';
export {
  roleDefinitionSchema,
  toolGrantSchema,
  toolModeSchema,
  type RoleDefinition,
  type ToolGrant,
  type ToolMode,
} from './policy/role-definition.ts';
export {
  approvedToolSchema,
  fetchedToolSchema,
  rawToolSchema,
  serverInfoSchema,
  slugSchema,
  toolClassSchema,
  toolDigestsSchema,
  transportSchema,
  type ApprovedTool,
  type FetchedTool,
  type RawTool,
  type ServerInfo,
  type ToolClass,
  type ToolDigests,
  type Transport,
} from './registry/server-shapes.ts';
export {
  auditRecordSchema,
  outcomeSchema,
  sealedSchema,
  type AuditRecord,
  type Outcome,
  type Sealed,
} from './audit/audit-record.v1.ts';
export {
  keyStateSchema,
  principalStateSchema,
  type KeyState,
  type PrincipalState,
} from './state/principals.v1.ts';
export { policyStateSchema, type PolicyState } from './state/policy.v1.ts';
export {
  catalogueStateSchema,
  parseCatalogueMessage,
  type CatalogueState,
} from './state/catalogue.v1.ts';
export { beatKeyFor, beatSchema, isBeat, type Beat } from './state/beat.v1.ts';
export { parseJson } from './state/parse-json.ts';
