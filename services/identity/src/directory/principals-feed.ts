import { topics, type RecordedEvent } from '@gatehouse/event-catalog';
import type { Clock, ServiceDatabase, StateFeed } from '@gatehouse/platform';
import { parsePrincipalMessage } from '@gatehouse/principal-directory';
import { groupStream } from '../group/group.decider.ts';
import { loadPrincipals } from './load-principals.query.ts';

/** What gateways know of everybody: keeps the principals state topic, one message for each user, agent and group that an event touches. */
export function principalsFeed(database: ServiceDatabase, clock: Clock): StateFeed {
  return {
    topic: topics.principalsState,
    touchedBy: (events) => touchedBy(database, events),
    load: (keys) => loadPrincipals(database, keys, clock.now()),
    check: parsePrincipalMessage,
  };
}

async function touchedBy(
  database: ServiceDatabase,
  events: readonly RecordedEvent[],
): Promise<readonly string[]> {
  const touched: string[] = [];
  const deletedGroups: string[] = [];
  const keyIds: string[] = [];
  for (const { type, data } of events) {
    if (type === 'identity.group-deleted.v1') deletedGroups.push(data.groupId);
    // A change of membership is a change of the person: their groups are in their state, not the other way round.
    if ('userId' in data) touched.push(`user:${data.userId}`);
    else if ('groupId' in data) touched.push(`group:${data.groupId}`);
    else if ('agentId' in data) touched.push(`agent:${data.agentId}`);
    else if ('assignee' in data) touched.push(`${data.assignee.kind}:${data.assignee.id}`);
    else if ('principal' in data) touched.push(`${data.principal.kind}:${data.principal.id}`);
    else if ('keyId' in data) keyIds.push(data.keyId);
  }
  touched.push(...(await holdersOf(database, keyIds)));
  // One by one: a call takes no more arguments than the stack has room for, and a group may have more members.
  for (const key of await lastMembersOf(database, deletedGroups)) touched.push(key);
  return touched;
}

/** Who was in these groups at their end. Their rows are gone; the log knows. */
async function lastMembersOf(
  database: ServiceDatabase,
  groupIds: readonly string[],
): Promise<string[]> {
  if (groupIds.length === 0) return [];
  const { rows } = await database.pool.query<{ userId: string }>(
    `select "userId" from (
       select distinct on (stream, data->>'userId') data->>'userId' as "userId", type
       from event where stream = any($1)
         and type in ('identity.group-member-added.v1', 'identity.group-member-removed.v1')
       order by stream, data->>'userId', version desc) as last
     where type = 'identity.group-member-added.v1'`,
    [groupIds.map(groupStream)],
  );
  return rows.map(({ userId }) => `user:${userId}`);
}

async function holdersOf(database: ServiceDatabase, keyIds: readonly string[]): Promise<string[]> {
  if (keyIds.length === 0) return [];
  const { rows } = await database.pool.query<{ kind: string; id: string }>(
    'select distinct principal_kind as kind, principal_id as id from keys where key_id = any($1)',
    [keyIds],
  );
  return rows.map(({ kind, id }) => `${kind}:${id}`);
}
