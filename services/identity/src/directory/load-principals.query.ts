import type { KeyState, PrincipalState } from '@gatehouse/event-catalog';
import type { ServiceDatabase } from '@gatehouse/platform';

type Kind = PrincipalState['kind'];
type StateOf<K extends Kind> = Extract<PrincipalState, { kind: K }>;

// An ended key is refused whether or not gateways know it; for a while they do, so that the record says why.
const KEEP_ENDED_KEYS_MS = 30 * 24 * 3_600_000;

/** Users, agents and groups as gateways need them, by their keys in the state topic; who is gone is not in the answer. Takes the same few queries for one as for many. */
export async function loadPrincipals(
  database: ServiceDatabase,
  keys: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, PrincipalState>> {
  const { user, agent, group } = idsByKind(keys);
  const keysOf = await loadKeys(database, user, agent, now);
  const principals: PrincipalState[] = [
    ...(await loadUsers(database, user, keysOf)),
    ...(await loadAgents(database, agent, keysOf)),
    ...(await loadGroups(database, group)),
  ];
  return new Map(principals.map((principal) => [`${principal.kind}:${principal.id}`, principal]));
}

function idsByKind(keys: readonly string[]): Record<Kind, string[]> {
  const ids: Record<Kind, string[]> = { user: [], agent: [], group: [] };
  for (const key of keys) {
    const separator = key.indexOf(':');
    const ofKind = (ids as Partial<Record<string, string[]>>)[key.slice(0, separator)];
    if (ofKind === undefined) throw new Error(`no principal has the key ${key}`);
    ofKind.push(key.slice(separator + 1));
  }
  return ids;
}

const rolesOf = (kind: Kind, id: string): string =>
  `array(select role from role_assignments where assignee_kind = '${kind}' and assignee_id = ${id} order by role)`;

async function loadUsers(
  database: ServiceDatabase,
  ids: readonly string[],
  keysOf: KeysOf,
): Promise<StateOf<'user'>[]> {
  if (ids.length === 0) return [];
  const { rows } = await database.pool.query<Omit<StateOf<'user'>, 'kind' | 'keys'>>(
    `select user_id as id, user_name as name, display_name as "displayName", active,
       array(select group_id from group_members as own where own.user_id = users.user_id order by group_id) as "groupIds",
       ${rolesOf('user', 'user_id')} as roles
     from users where user_id = any($1)`,
    [ids],
  );
  return rows.map((row) => ({ kind: 'user', ...row, keys: keysOf('user', row.id) }));
}

async function loadAgents(
  database: ServiceDatabase,
  ids: readonly string[],
  keysOf: KeysOf,
): Promise<StateOf<'agent'>[]> {
  if (ids.length === 0) return [];
  const { rows } = await database.pool.query<Omit<StateOf<'agent'>, 'kind' | 'keys'>>(
    `select agent_id as id, name, active, owner_user_id as "ownerUserId", ${rolesOf('agent', 'agent_id')} as roles
     from agents where agent_id = any($1)`,
    [ids],
  );
  return rows.map((row) => ({ kind: 'agent', ...row, keys: keysOf('agent', row.id) }));
}

async function loadGroups(
  database: ServiceDatabase,
  ids: readonly string[],
): Promise<StateOf<'group'>[]> {
  if (ids.length === 0) return [];
  const { rows } = await database.pool.query<Omit<StateOf<'group'>, 'kind'>>(
    `select group_id as id, display_name as name, ${rolesOf('group', 'group_id')} as roles
     from groups where group_id = any($1)`,
    [ids],
  );
  return rows.map((row) => ({ kind: 'group', ...row }));
}

type KeysOf = (kind: 'user' | 'agent', id: string) => KeyState[];

async function loadKeys(
  database: ServiceDatabase,
  users: readonly string[],
  agents: readonly string[],
  now: Date,
): Promise<KeysOf> {
  if (users.length + agents.length === 0) return () => [];
  // A successor counts once its predecessor names it: a rotation that broke off half way opens nothing.
  const { rows } = await database.pool.query<{
    holder: string;
    key_id: string;
    secret_sha256: string;
    not_after: Date | null;
  }>(
    `select principal_kind || ':' || principal_id as holder, key_id, secret_sha256,
       least(expires_at, overlap_until) as not_after
     from keys as key
     where ((principal_kind = 'user' and principal_id = any($1)) or (principal_kind = 'agent' and principal_id = any($2)))
       and revoked_at is null
       and (rotated_from is null
            or exists (select from keys where key_id = key.rotated_from and replaced_by = key.key_id))
       and coalesce(least(expires_at, overlap_until) > $3, true)
     order by key_id`,
    [users, agents, new Date(now.getTime() - KEEP_ENDED_KEYS_MS)],
  );
  const byHolder = Map.groupBy(rows, ({ holder }) => holder);
  return (kind, id) =>
    (byHolder.get(`${kind}:${id}`) ?? []).map((row) => ({
      keyId: row.key_id,
      secretSha256: row.secret_sha256,
      notAfter: row.not_after?.toISOString() ?? null,
    }));
}
