import type { z } from 'zod';
import type { EventEnvelope } from './envelope.ts';
import { userProvisionedV1 } from './identity/user-provisioned.v1.ts';
import { userUpdatedV1 } from './identity/user-updated.v1.ts';
import { userDeactivatedV1 } from './identity/user-deactivated.v1.ts';
import { userReactivatedV1 } from './identity/user-reactivated.v1.ts';
import { groupCreatedV1 } from './identity/group-created.v1.ts';
import { groupRenamedV1 } from './identity/group-renamed.v1.ts';
import { groupMemberAddedV1 } from './identity/group-member-added.v1.ts';
import { groupMemberRemovedV1 } from './identity/group-member-removed.v1.ts';
import { groupDeletedV1 } from './identity/group-deleted.v1.ts';
import { roleAssignedV1 } from './identity/role-assigned.v1.ts';
import { roleRevokedV1 } from './identity/role-revoked.v1.ts';
import { agentRegisteredV1 } from './identity/agent-registered.v1.ts';
import { agentRenamedV1 } from './identity/agent-renamed.v1.ts';
import { agentDisabledV1 } from './identity/agent-disabled.v1.ts';
import { agentEnabledV1 } from './identity/agent-enabled.v1.ts';
import { keyIssuedV1 } from './identity/key-issued.v1.ts';
import { keyRetiringV1 } from './identity/key-retiring.v1.ts';
import { keyRevokedV1 } from './identity/key-revoked.v1.ts';
import { roleDefinedV1 } from './policy/role-defined.v1.ts';
import { roleDeletedV1 } from './policy/role-deleted.v1.ts';
import { bundlePublishedV1 } from './policy/bundle-published.v1.ts';
import { serverSubmittedV1 } from './registry/server-submitted.v1.ts';
import { catalogueFetchedV1 } from './registry/catalogue-fetched.v1.ts';
import { catalogueFetchFailedV1 } from './registry/catalogue-fetch-failed.v1.ts';
import { toolClassifiedV1 } from './registry/tool-classified.v1.ts';
import { serverApprovedV1 } from './registry/server-approved.v1.ts';
import { serverRejectedV1 } from './registry/server-rejected.v1.ts';
import { serverSuspendedV1 } from './registry/server-suspended.v1.ts';
import { serverResumedV1 } from './registry/server-resumed.v1.ts';

/** Every event version there is: what services know of each other. A new shape is a new file and a new line here, never an edit. */
export const catalog = [
  userProvisionedV1,
  userUpdatedV1,
  userDeactivatedV1,
  userReactivatedV1,
  groupCreatedV1,
  groupRenamedV1,
  groupMemberAddedV1,
  groupMemberRemovedV1,
  groupDeletedV1,
  roleAssignedV1,
  roleRevokedV1,
  agentRegisteredV1,
  agentRenamedV1,
  agentDisabledV1,
  agentEnabledV1,
  keyIssuedV1,
  keyRetiringV1,
  keyRevokedV1,
  roleDefinedV1,
  roleDeletedV1,
  bundlePublishedV1,
  serverSubmittedV1,
  catalogueFetchedV1,
  catalogueFetchFailedV1,
  toolClassifiedV1,
  serverApprovedV1,
  serverRejectedV1,
  serverSuspendedV1,
  serverResumedV1,
] as const;

type Definition = (typeof catalog)[number];

/** The type of an event of the catalogue, with its version. */
export type EventType = Definition['type'];

/** The data of one event type. */
export type EventData<T extends EventType> = z.infer<Extract<Definition, { type: T }>['data']>;

/** One event that a decider emits: a type and its data, nothing that the store adds. */
export type EventOf<T extends EventType> = {
  [K in T]: { readonly type: K; readonly data: EventData<K> };
}[T];

/** Any event of the catalogue. */
export type DomainEvent = EventOf<EventType>;

/** One event as the log holds it. */
export type RecordedEvent<T extends EventType = EventType> = {
  [K in T]: EventEnvelope & { readonly type: K; readonly data: EventData<K> };
}[T];

const byType = new Map<string, Definition>(
  catalog.map((definition) => [definition.type, definition]),
);

/** The definition of a type string, or undefined where this catalogue does not know it. */
export function findDefinition(type: string): Definition | undefined {
  return byType.get(type);
}
