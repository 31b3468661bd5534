export { boundSchema, type SchemaCost } from './bound-schema.ts';
export {
  classifyMessage,
  type ClassifiedMessage,
  type JsonObject,
  type RequestId,
  type RpcBatch,
  type RpcErrorObject,
  type RpcMalformed,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from './classify-message.ts';
export {
  callToolParamsSchema,
  callToolResultSchema,
  cancelledParamsSchema,
  initializeParamsSchema,
  listToolsParamsSchema,
  listToolsResultSchema,
  type CallToolParams,
  type InitializeParams,
} from './message-shapes.ts';
export { methods, servedNotifications, servedRequests, type Method } from './methods.ts';
export { proposeClass, type ClassProposal } from './propose-class.ts';
export {
  assumedProtocolVersion,
  isLegacyProtocolVersion,
  legacyProtocolVersions,
  modernProtocolVersions,
  negotiateLegacyVersion,
  protocolVersions,
  type LegacyProtocolVersion,
  type ProtocolVersion,
} from './protocol-version.ts';
export { qualify, splitQualifiedName } from './qualified-name.ts';
export { reviewDigest, transportDigest, type UnderReview } from './review-digest.ts';
export {
  rpcError,
  rpcErrorResponse,
  rpcErrorResponseOf,
  type RpcError,
  type RpcErrorResponse,
} from './rpc-error.ts';
export { toolDigests } from './tool-digests.ts';
