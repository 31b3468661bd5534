import { randomUUID } from 'node:crypto';
import type { Actor } from '@gatehouse/event-catalog';
import { handleCommand, type DecisionContext, type EventStore } from '@gatehouse/event-sourcing';
import { PostgresEventStore, type Platform, type ServiceDatabase } from '@gatehouse/platform';
import { guardedDirectory } from '../directory/guarded-directory.ts';
import { nameKey } from '../directory/name-key.ts';
import { keyDecider, keyStream } from '../key/key.decider.ts';
import { mintNewKey } from '../key/mint-new-key.ts';
import { roleAssignmentDecider, rolesStream } from '../role-assignment/role-assignment.decider.ts';
import { ADMIN_ROLE } from '../role-assignment/someone-administers.query.ts';
import { userDecider, userStream } from '../user/user.decider.ts';
import { adminTokenFile, adminTokenPath } from './admin-token-file.ts';
import { finishBootstrap, oneAtATime, readOrSetMarker } from './bootstrap-marker.ts';

const ACTOR: Actor = { kind: 'service', id: 'identity', name: 'recovery' };
const USER_NAME = 'admin';
const LABEL = 'recovery';

/**
 * For the operator who lost the admin token: makes sure that an active user `admin` holds the role `admin`, and writes a
 * fresh key for it to the file `admin-token`, in place of what lies there. Keys that the file held before are revoked,
 * for nobody knows who has them now. Every step is an ordinary event, may be repeated after a crash, and goes out
 * with the relay of the service, now or when it starts.
 */
export async function recoverAdministrator(platform: Platform): Promise<{ tokenFile: string }> {
  const database = platform.database('identity');
  const store = new PostgresEventStore(database, [guardedDirectory]);
  return oneAtATime(database, async () => {
    const context = {
      actor: ACTOR,
      now: platform.clock.now(),
      correlationId: `recovery-${randomUUID()}`,
    };
    const userId = await findOrNameAdmin(database);
    await makeActiveAdministrator(store, userId, context);
    const { keyId, token, secretSha256 } = mintNewKey();
    const principal = { kind: 'user', id: userId } as const;
    const issue = { keyId, secretSha256, principal, label: LABEL, expiresAt: null } as const;
    await handleCommand(
      store,
      keyDecider,
      keyStream(keyId),
      { type: 'issue-key', ...issue, rotatedFrom: null },
      context,
    );
    await adminTokenFile(platform.dataDirectory).deliver(token);
    await revokeLostKeys(database, store, { userId, keep: keyId }, context);
    await finishBootstrap(database);
    return { tokenFile: adminTokenPath(platform.dataDirectory) };
  });
}

/** The user of that name; where there is none, who is to be: the one that an unfinished first start would make. */
async function findOrNameAdmin(database: ServiceDatabase): Promise<string> {
  const marker = await readOrSetMarker(database);
  const { rows } = await database.pool.query<{ user_id: string }>(
    'select user_id from users where name_key = $1',
    [nameKey(USER_NAME)],
  );
  if (rows[0] !== undefined) return rows[0].user_id;
  return marker.status === 'unfinished' ? marker.userId : randomUUID();
}

async function makeActiveAdministrator(
  store: EventStore,
  userId: string,
  context: DecisionContext,
): Promise<void> {
  const profile = { userName: USER_NAME, displayName: 'Recovered administrator', email: null };
  const person = [
    { type: 'provision-user', userId, ...profile },
    { type: 'reactivate-user', userId },
  ] as const;
  for (const command of person)
    await handleCommand(store, userDecider, userStream(userId), command, context);
  const assignee = { kind: 'user', id: userId } as const;
  await handleCommand(
    store,
    roleAssignmentDecider,
    rolesStream(assignee),
    { type: 'assign-role', assignee, role: ADMIN_ROLE, roleExists: true },
    context,
  );
}

async function revokeLostKeys(
  database: ServiceDatabase,
  store: EventStore,
  { userId, keep }: { userId: string; keep: string },
  context: DecisionContext,
): Promise<void> {
  const { rows } = await database.pool.query<{ key_id: string }>(
    `select key_id from keys where principal_kind = 'user' and principal_id = $1
       and label in ('bootstrap', $2) and key_id <> $3 and revoked_at is null`,
    [userId, LABEL, keep],
  );
  for (const { key_id: keyId } of rows) {
    const command = { type: 'revoke-key', keyId, reason: 'its token was lost' } as const;
    await handleCommand(store, keyDecider, keyStream(keyId), command, context);
  }
}
