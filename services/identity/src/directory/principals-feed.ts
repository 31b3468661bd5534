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
  if (type === 'identity.group-deleted.v1')
    return [`group:${data.groupId}`, ...(await lastMembersOf(store, data.groupId))];
  // A change of membership is a change of the person: their groups are in their state, not the other way round.
  if ('userId' in data) return [`user:${data.userId}`];
  if ('groupId' in data) return [`group:${data.groupId}`];
  if ('agentId' in data) return [`agent:${data.agentId}`];
  if ('assignee' in data) return [`${data.assignee.kind}:${data.assignee.id}`];
  if ('principal' in data) return [`${data.principal.kind}:${data.principal.id}`];
  if ('keyId' in data) return holderOf(database, data.keyId);
  return [];
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
