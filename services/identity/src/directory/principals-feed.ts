import { topics, type PrincipalState, type RecordedEvent } from '@gatehouse/event-catalog';
import { fold, type EventStore } from '@gatehouse/event-sourcing';
import type { Clock, ServiceDatabase, StateFeed } from '@gatehouse/platform';
import { groupDecider, groupStream, type GroupEvent } from '../group/group.decider.ts';
import { loadPrincipal } from './load-principal.query.ts';

/** What gateways know of everybody: keeps the principals state topic, one message for each user, agent and group that an event touches. */
export function principalsFeed(
  database: ServiceDatabase,
  store: EventStore,
  clock: Clock,
): StateFeed {
  return {
    topic: topics.principalsState,
    touchedBy: (event) => touchedBy(database, store, event),
    load: (key): Promise<PrincipalState | null> => loadPrincipal(database, key, clock.now()),
  };
}

async function touchedBy(
  database: ServiceDatabase,
  store: EventStore,
  { type, data }: RecordedEvent,
): Promise<readonly string[]> {
  switch (type) {
    case 'identity.user-provisioned.v1':
    case 'identity.user-updated.v1':
    case 'identity.user-deactivated.v1':
    case 'identity.user-reactivated.v1':
    case 'identity.group-member-added.v1':
    case 'identity.group-member-removed.v1':
      return [`user:${data.userId}`];
    case 'identity.group-created.v1':
    case 'identity.group-renamed.v1':
      return [`group:${data.groupId}`];
    case 'identity.group-deleted.v1':
      return [`group:${data.groupId}`, ...(await lastMembersOf(store, data.groupId))];
    case 'identity.agent-registered.v1':
    case 'identity.agent-renamed.v1':
    case 'identity.agent-disabled.v1':
    case 'identity.agent-enabled.v1':
      return [`agent:${data.agentId}`];
    case 'identity.role-assigned.v1':
    case 'identity.role-revoked.v1':
      return [`${data.assignee.kind}:${data.assignee.id}`];
    case 'identity.key-issued.v1':
      return [`${data.principal.kind}:${data.principal.id}`];
    case 'identity.key-retiring.v1':
    case 'identity.key-revoked.v1':
      return holderOf(database, data.keyId);
    default:
      return [];
  }
}

async function lastMembersOf(store: EventStore, groupId: string): Promise<string[]> {
  const history = await store.readStream(groupStream(groupId));
  const group = fold(groupDecider, history as readonly unknown[] as readonly GroupEvent[]);
  return group.status === 'unknown' ? [] : [...group.members].map((userId) => `user:${userId}`);
}

async function holderOf(database: ServiceDatabase, keyId: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ kind: string; id: string }>(
    'select principal_kind as kind, principal_id as id from keys where key_id = $1',
    [keyId],
  );
  return rows.map(({ kind, id }) => `${kind}:${id}`);
}
