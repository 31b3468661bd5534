import type { KeyState, PrincipalState } from '@gatehouse/event-catalog';
import type { ServiceDatabase } from '@gatehouse/platform';

type StateOf<K extends PrincipalState['kind']> = Extract<PrincipalState, { kind: K }>;

// An ended key is refused whether or not gateways know it; for a while they do, so that the record says why.
const KEEP_ENDED_KEYS_MS = 30 * 24 * 3_600_000;

/** One user, agent or group as gateways need it, by its key in the state topic; null when it is gone. */
export async function loadPrincipal(
  database: ServiceDatabase,
  key: string,
  now: Date,
): Promise<PrincipalState | null> {
  const separator = key.indexOf(':');
  const id = key.slice(separator + 1);
  switch (key.slice(0, separator)) {
    case 'user':
      return loadUser(database, id, now);
    case 'agent':
      return loadAgent(database, id, now);
    case 'group':
      return loadGroup(database, id);
    default:
      throw new Error(`no principal has the key ${key}`);
  }
}

const rolesOf = (kind: PrincipalState['kind']): string =>
  `array(select role from role_assignments where assignee_kind = '${kind}' and assignee_id = $1 order by role)`;

async function loadUser(database: ServiceDatabase, id: string, now: Date) {
  const { rows } = await database.pool.query<Omit<StateOf<'user'>, 'kind' | 'keys'>>(
    `select user_id as id, user_name as name, display_name as "displayName", active,
       array(select group_id from group_members where user_id = $1 order by group_id) as "groupIds",
       ${rolesOf('user')} as roles
     from users where user_id = $1`,
    [id],
  );
  if (rows[0] === undefined) return null;
  return { kind: 'user' as const, ...rows[0], keys: await loadKeys(database, 'user', id, now) };
}

async function loadAgent(database: ServiceDatabase, id: string, now: Date) {
  const { rows } = await database.pool.query<Omit<StateOf<'agent'>, 'kind' | 'keys'>>(
    `select agent_id as id, name, active, owner_user_id as "ownerUserId", ${rolesOf('agent')} as roles
     from agents where agent_id = $1`,
    [id],
  );
  if (rows[0] === undefined) return null;
  return { kind: 'agent' as const, ...rows[0], keys: await loadKeys(database, 'agent', id, now) };
}

async function loadGroup(database: ServiceDatabase, id: string): Promise<StateOf<'group'> | null> {
  const { rows } = await database.pool.query<Omit<StateOf<'group'>, 'kind'>>(
    `select group_id as id, display_name as name, ${rolesOf('group')} as roles from groups where group_id = $1`,
    [id],
  );
  return rows[0] === undefined ? null : { kind: 'group', ...rows[0] };
}

async function loadKeys(
  database: ServiceDatabase,
  kind: 'user' | 'agent',
  id: string,
  now: Date,
): Promise<KeyState[]> {
  // A successor counts once its predecessor names it: a rotation that broke off half way opens nothing.
  const { rows } = await database.pool.query<{
    key_id: string;
    secret_sha256: string;
    not_after: Date | null;
  }>(
    `select key_id, secret_sha256, least(expires_at, overlap_until) as not_after from keys as key
     where principal_kind = $1 and principal_id = $2 and revoked_at is null
       and (rotated_from is null
            or exists (select from keys where key_id = key.rotated_from and replaced_by = key.key_id))
       and coalesce(least(expires_at, overlap_until) > $3, true)
     order by key_id`,
    [kind, id, new Date(now.getTime() - KEEP_ENDED_KEYS_MS)],
  );
  return rows.map((row) => ({
    keyId: row.key_id,
    secretSha256: row.secret_sha256,
    notAfter: row.not_after?.toISOString() ?? null,
  }));
}
