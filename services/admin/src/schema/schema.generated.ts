// Generated from the .graphql files by `npm run generate`: do not edit.

export interface Actor {
  readonly id: string;
  readonly kind: ActorKind;
  readonly name: string;
}

export type ActorKind = 'user' | 'agent' | 'service';

export interface AddGroupMemberInput {
  readonly groupId: string;
  readonly userId: string;
}

export interface Agent {
  readonly active: boolean;
  readonly description: string;
  readonly disabledBecause: string | null;
  readonly id: string;
  readonly keys: readonly Key[];
  readonly name: string;
  readonly owner: UserRef | null;
  readonly registeredAt: Date | string;
  readonly roles: readonly string[];
}

export interface AgentFilter {
  readonly active?: boolean | null;
  readonly ownerUserId?: string | null;
}

export interface AgentPage {
  readonly nodes: readonly Agent[];
  readonly pageInfo: PageInfo;
}

export interface AgentPayload {
  readonly agent: Agent;
}

export interface ApproveServerInput {
  readonly catalogueDigest: string;
  readonly slug: string;
}

export interface AssignRoleInput {
  readonly assignee: AssigneeInput;
  readonly role: string;
}

export interface AssignRolePayload {
  readonly assignment: RoleAssignment;
}

export interface Assignee {
  readonly id: string;
  readonly kind: AssigneeKind;
  readonly name: string | null;
}

export interface AssigneeInput {
  readonly id: string;
  readonly kind: AssigneeKind;
}

export type AssigneeKind = 'user' | 'group' | 'agent';

export interface AuditClient {
  readonly name: string;
  readonly version: string;
}

export type AuditDecision = 'allow' | 'deny';

export interface AuditFilter {
  readonly clientIp?: string | null;
  readonly clientName?: string | null;
  readonly decision?: AuditDecision | null;
  readonly from?: string | null;
  readonly maxDurationMs?: number | null;
  readonly method?: string | null;
  readonly minDurationMs?: number | null;
  readonly outcome?: AuditOutcome | null;
  readonly principalId?: string | null;
  readonly principalName?: string | null;
  readonly reasonCode?: string | null;
  readonly server?: string | null;
  readonly sessionRef?: string | null;
  readonly to?: string | null;
  readonly tool?: string | null;
  readonly traceId?: string | null;
}

export type AuditOutcome = 'ok' | 'tool-error' | 'refused' | 'upstream-error' | 'cancelled' | 'unknown';

export type AuditPhase = 'intent' | 'outcome';

export interface AuditPrincipal {
  readonly id: string;
  readonly keyId: string;
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly roles: readonly string[];
}

export interface AuditReason {
  readonly code: string;
  readonly text: string;
}

export interface AuditRecord {
  readonly argumentsBytes: number;
  readonly at: Date | string;
  readonly bundleNumber: number | null;
  readonly client: AuditClient | null;
  readonly clientIp: string;
  readonly decision: AuditDecision;
  readonly durationMs: number;
  readonly endpoint: string;
  readonly hasArguments: boolean;
  readonly httpStatus: number | null;
  readonly id: string;
  readonly index: number;
  readonly method: string;
  readonly outcome: AuditOutcome;
  readonly phase: AuditPhase;
  readonly principal: AuditPrincipal | null;
  readonly reason: AuditReason;
  readonly requestId: string;
  readonly resultBytes: number;
  readonly rpcCode: number | null;
  readonly sequence: number;
  readonly server: string | null;
  readonly sessionRef: string | null;
  readonly source: string;
  readonly tool: string | null;
  readonly toolClass: ToolClass | null;
  readonly traceId: string | null;
  readonly userAgent: string | null;
}

export interface AuditRecordConnection {
  readonly nodes: readonly AuditRecord[];
  readonly pageInfo: PageInfo;
}

export interface ClassifyToolInput {
  readonly class: ToolClass;
  readonly slug: string;
  readonly tool: string;
}

export interface ClassifyToolPayload {
  readonly server: Server;
  readonly tool: Tool;
}

export interface CreateGroupInput {
  readonly displayName: string;
}

export interface DeactivateUserInput {
  readonly reason: string;
  readonly userId: string;
}

export interface DefineRoleInput {
  readonly connectors: readonly RoleConnectorInput[];
  readonly description: string;
  readonly management: Management;
  readonly name: string;
}

export interface DefineRolePayload {
  readonly bundleNumber: number;
  readonly role: Role;
}

export interface DeleteGroupInput {
  readonly groupId: string;
}

export interface DeleteGroupPayload {
  readonly groupId: string;
}

export interface DeleteRoleInput {
  readonly name: string;
}

export interface DeleteRolePayload {
  readonly bundleNumber: number;
  readonly name: string;
}

export interface DisableAgentInput {
  readonly agentId: string;
  readonly reason: string;
}

export interface EnableAgentInput {
  readonly agentId: string;
}

export interface EnvironmentVariableInput {
  readonly name: string;
  readonly value: string;
}

export interface FetchCatalogueInput {
  readonly slug: string;
}

export interface FetchCataloguePayload {
  readonly server: Server;
  readonly toolCount: number;
}

export interface Gate {
  readonly bundleNumber: number | null;
  readonly bundlePublishedAt: Date | string | null;
}

export interface Group {
  readonly createdAt: Date | string;
  readonly displayName: string;
  readonly id: string;
  readonly memberCount: number;
  readonly members: readonly User[];
  readonly roles: readonly string[];
}

export interface GroupMembersArgs {
  readonly first: number;
}

export interface GroupPage {
  readonly nodes: readonly Group[];
  readonly pageInfo: PageInfo;
}

export interface GroupPayload {
  readonly group: Group;
}

export interface GroupRef {
  readonly displayName: string;
  readonly id: string;
}

export interface IssueKeyInput {
  readonly expiresAt?: string | null;
  readonly label: string;
  readonly principal: PrincipalInput;
}

export interface IssuedKeyPayload {
  readonly key: Key | null;
  readonly keyId: string;
  readonly token: string;
}

export interface Key {
  readonly expiresAt: Date | string | null;
  readonly id: string;
  readonly issuedAt: Date | string;
  readonly issuedBy: Actor;
  readonly label: string;
  readonly overlapUntil: Date | string | null;
  readonly principal: Principal;
  readonly replacedBy: string | null;
  readonly revokedAt: Date | string | null;
  readonly revokedBecause: string | null;
  readonly rotatedFrom: string | null;
  readonly status: KeyStatus;
}

export interface KeyFilter {
  readonly principal?: PrincipalInput | null;
  readonly status?: KeyStatus | null;
}

export interface KeyPage {
  readonly nodes: readonly Key[];
  readonly pageInfo: PageInfo;
}

export interface KeyPayload {
  readonly key: Key;
}

export type KeyStatus = 'active' | 'retiring' | 'locked' | 'expired' | 'revoked';

export type Management = 'none' | 'observe' | 'administer';

export interface MutationAddGroupMemberArgs {
  readonly input: AddGroupMemberInput;
}

export interface MutationApproveServerArgs {
  readonly input: ApproveServerInput;
}

export interface MutationAssignRoleArgs {
  readonly input: AssignRoleInput;
}

export interface MutationClassifyToolArgs {
  readonly input: ClassifyToolInput;
}

export interface MutationCreateGroupArgs {
  readonly input: CreateGroupInput;
}

export interface MutationDeactivateUserArgs {
  readonly input: DeactivateUserInput;
}

export interface MutationDefineRoleArgs {
  readonly input: DefineRoleInput;
}

export interface MutationDeleteGroupArgs {
  readonly input: DeleteGroupInput;
}

export interface MutationDeleteRoleArgs {
  readonly input: DeleteRoleInput;
}

export interface MutationDisableAgentArgs {
  readonly input: DisableAgentInput;
}

export interface MutationEnableAgentArgs {
  readonly input: EnableAgentInput;
}

export interface MutationFetchCatalogueArgs {
  readonly input: FetchCatalogueInput;
}

export interface MutationIssueKeyArgs {
  readonly input: IssueKeyInput;
}

export interface MutationProvisionUserArgs {
  readonly input: ProvisionUserInput;
}

export interface MutationReactivateUserArgs {
  readonly input: ReactivateUserInput;
}

export interface MutationRegisterAgentArgs {
  readonly input: RegisterAgentInput;
}

export interface MutationRejectServerArgs {
  readonly input: RejectServerInput;
}

export interface MutationRemoveGroupMemberArgs {
  readonly input: RemoveGroupMemberInput;
}

export interface MutationRenameAgentArgs {
  readonly input: RenameAgentInput;
}

export interface MutationRenameGroupArgs {
  readonly input: RenameGroupInput;
}

export interface MutationResumeServerArgs {
  readonly input: ResumeServerInput;
}

export interface MutationRevokeKeyArgs {
  readonly input: RevokeKeyInput;
}

export interface MutationRevokeRoleArgs {
  readonly input: RevokeRoleInput;
}

export interface MutationRotateKeyArgs {
  readonly input: RotateKeyInput;
}

export interface MutationSubmitServerArgs {
  readonly input: SubmitServerInput;
}

export interface MutationSuspendServerArgs {
  readonly input: SuspendServerInput;
}

export interface MutationUpdateUserArgs {
  readonly input: UpdateUserInput;
}

export interface PageInfo {
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
}

export interface Principal {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly name: string | null;
}

export interface PrincipalInput {
  readonly id: string;
  readonly kind: PrincipalKind;
}

export type PrincipalKind = 'user' | 'agent';

export interface ProvisionUserInput {
  readonly displayName: string;
  readonly email?: string | null;
  readonly userName: string;
}

export interface QueryAgentArgs {
  readonly id: string;
}

export interface QueryAgentsArgs {
  readonly after?: string | null;
  readonly filter?: AgentFilter | null;
  readonly first: number;
}

export interface QueryAuditRecordsArgs {
  readonly after?: string | null;
  readonly filter?: AuditFilter | null;
  readonly first: number;
}

export interface QueryGroupArgs {
  readonly id: string;
}

export interface QueryGroupsArgs {
  readonly after?: string | null;
  readonly first: number;
}

export interface QueryKeyArgs {
  readonly id: string;
}

export interface QueryKeysArgs {
  readonly after?: string | null;
  readonly filter?: KeyFilter | null;
  readonly first: number;
}

export interface QueryRevealArgumentsArgs {
  readonly id: string;
}

export interface QueryRoleArgs {
  readonly name: string;
}

export interface QueryRoleAssignmentsArgs {
  readonly after?: string | null;
  readonly filter?: RoleAssignmentFilter | null;
  readonly first: number;
}

export interface QueryRolesArgs {
  readonly after?: string | null;
  readonly first: number;
}

export interface QueryServerArgs {
  readonly slug: string;
}

export interface QueryServersArgs {
  readonly after?: string | null;
  readonly filter?: ServerFilter | null;
  readonly first: number;
}

export interface QueryUserArgs {
  readonly id: string;
}

export interface QueryUsersArgs {
  readonly after?: string | null;
  readonly filter?: UserFilter | null;
  readonly first: number;
}

export interface ReactivateUserInput {
  readonly userId: string;
}

export interface RegisterAgentInput {
  readonly description: string;
  readonly name: string;
  readonly ownerUserId?: string | null;
}

export interface RejectServerInput {
  readonly reason: string;
  readonly slug: string;
}

export interface RemoveGroupMemberInput {
  readonly groupId: string;
  readonly userId: string;
}

export interface RenameAgentInput {
  readonly agentId: string;
  readonly description: string;
  readonly name: string;
}

export interface RenameGroupInput {
  readonly displayName: string;
  readonly groupId: string;
}

export interface ResumeServerInput {
  readonly slug: string;
}

export interface RevealedArguments {
  readonly arguments: unknown;
  readonly id: string;
}

export interface RevokeKeyInput {
  readonly keyId: string;
  readonly reason: string;
}

export interface RevokeRoleInput {
  readonly assignee: AssigneeInput;
  readonly role: string;
}

export interface RevokeRolePayload {
  readonly assignee: Assignee;
  readonly role: string;
}

export interface Role {
  readonly connectors: readonly RoleConnector[];
  readonly definedAt: Date | string;
  readonly definedBy: Actor;
  readonly description: string;
  readonly management: Management;
  readonly name: string;
}

export interface RoleAssignment {
  readonly assignedAt: Date | string;
  readonly assignedBy: Actor;
  readonly assignee: Assignee;
  readonly role: string;
  readonly roleExists: boolean;
}

export interface RoleAssignmentFilter {
  readonly assignee?: AssigneeInput | null;
  readonly role?: string | null;
}

export interface RoleAssignmentPage {
  readonly nodes: readonly RoleAssignment[];
  readonly pageInfo: PageInfo;
}

export interface RoleConnector {
  readonly slug: string;
  readonly tools: readonly ToolRule[];
}

export interface RoleConnectorInput {
  readonly slug: string;
  readonly tools: readonly ToolRuleInput[];
}

export interface RolePage {
  readonly nodes: readonly Role[];
  readonly pageInfo: PageInfo;
}

export interface RotateKeyInput {
  readonly keyId: string;
  readonly overlapSeconds: number;
}

export interface Server {
  readonly approvedAt: Date | string | null;
  readonly approvedBy: Actor | null;
  readonly catalogueDigest: string | null;
  readonly catalogueFetchError: string | null;
  readonly catalogueFetchedAt: Date | string | null;
  readonly description: string;
  readonly name: string;
  readonly reviewNeeded: boolean;
  readonly serverInfo: ServerInfo | null;
  readonly slug: string;
  readonly status: ServerStatus;
  readonly statusReason: string | null;
  readonly submittedAt: Date | string;
  readonly submittedBy: Actor;
  readonly tools: readonly Tool[];
  readonly transport: Transport;
}

export interface ServerFilter {
  readonly reviewNeeded?: boolean | null;
  readonly status?: ServerStatus | null;
}

export interface ServerInfo {
  readonly instructions: string | null;
  readonly name: string;
  readonly protocolVersion: string;
  readonly version: string;
}

export interface ServerPage {
  readonly nodes: readonly Server[];
  readonly pageInfo: PageInfo;
}

export interface ServerPayload {
  readonly server: Server;
}

export type ServerStatus = 'submitted' | 'approved' | 'rejected' | 'suspended';

export interface StdioTransport {
  readonly args: readonly string[];
  readonly command: string;
  readonly envNames: readonly string[];
}

export interface StdioTransportInput {
  readonly args: readonly string[];
  readonly command: string;
  readonly env: readonly EnvironmentVariableInput[];
}

export interface StreamableHttpTransport {
  readonly url: string;
}

export interface StreamableHttpTransportInput {
  readonly url: string;
}

export interface SubmitServerInput {
  readonly description: string;
  readonly name: string;
  readonly slug: string;
  readonly transport: TransportInput;
}

export interface SuspendServerInput {
  readonly reason: string;
  readonly slug: string;
}

export interface Tool {
  readonly approval: ToolApproval;
  readonly approvedClass: ToolClass | null;
  readonly approvedDefinition: unknown;
  readonly approvedDigests: ToolDigests | null;
  readonly class: ToolClass;
  readonly classifiedAs: ToolClass | null;
  readonly definition: unknown;
  readonly description: string | null;
  readonly digests: ToolDigests | null;
  readonly name: string;
  readonly proposedBecause: string | null;
  readonly proposedClass: ToolClass | null;
  readonly serverSlug: string;
}

export type ToolApproval = 'pending' | 'approved' | 'changed' | 'removed';

export type ToolClass = 'read' | 'write';

export interface ToolDigests {
  readonly behavior: string;
  readonly cosmetic: string;
  readonly modelText: string;
}

export type ToolMode = 'read' | 'write' | 'off';

export interface ToolRule {
  readonly deny: boolean;
  readonly mode: ToolMode;
  readonly tool: string;
}

export interface ToolRuleInput {
  readonly deny: boolean;
  readonly mode: ToolMode;
  readonly tool: string;
}

export type Transport = StdioTransport | StreamableHttpTransport;

export interface TransportInput {
  readonly stdio?: StdioTransportInput | null;
  readonly streamableHttp?: StreamableHttpTransportInput | null;
}

export interface UpdateUserInput {
  readonly displayName: string;
  readonly email?: string | null;
  readonly userId: string;
  readonly userName: string;
}

export interface User {
  readonly active: boolean;
  readonly deactivatedBecause: string | null;
  readonly displayName: string;
  readonly email: string | null;
  readonly groups: readonly GroupRef[];
  readonly id: string;
  readonly keys: readonly Key[];
  readonly provisionedAt: Date | string;
  readonly roles: readonly string[];
  readonly userName: string;
}

export interface UserFilter {
  readonly active?: boolean | null;
  readonly groupId?: string | null;
  readonly userNamePrefix?: string | null;
}

export interface UserPage {
  readonly nodes: readonly User[];
  readonly pageInfo: PageInfo;
}

export interface UserPayload {
  readonly user: User;
}

export interface UserRef {
  readonly id: string;
  readonly userName: string | null;
}

export interface Viewer {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly management: Management;
  readonly name: string;
  readonly roles: readonly string[];
}
