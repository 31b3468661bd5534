import type { Actor } from '@gatehouse/event-catalog';
import { handleCommand, type DecisionContext, type EventStore } from '@gatehouse/event-sourcing';
import type { Clock, ServiceDatabase } from '@gatehouse/platform';
import { parseToken } from '@gatehouse/principal-directory';
import { keyDecider, keyStream } from '../key/key.decider.ts';
import { mintNewKey } from '../key/mint-new-key.ts';
import { roleAssignmentDecider, rolesStream } from '../role-assignment/role-assignment.decider.ts';
import { ADMIN_ROLE } from '../role-assignment/someone-administers.query.ts';
import { userDecider, userStream } from '../user/user.decider.ts';
import { finishBootstrap, oneAtATime, readOrSetMarker } from './bootstrap-marker.ts';
import type { TokenHandover } from './token-handover.ts';

export interface BootstrapDeps {
  readonly database: ServiceDatabase;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly handover: TokenHandover;
}

const ACTOR: Actor = { kind: 'service', id: 'identity', name: 'identity' };
const LABEL = 'bootstrap';

/**
 * On the first start makes the user `admin` with the role `admin` and hands over a key without expiry. Each step may be
 * repeated after a crash; a token that was lost before it was handed over is revoked and replaced. Once finished it does
 * nothing, whatever happens to the token: to delete it is the operator's right. Answers whether it did anything.
 */
export async function createBootstrapAdmin(deps: BootstrapDeps): Promise<boolean> {
  return oneAtATime(deps.database, async () => {
    const marker = await readOrSetMarker(deps.database);
    if (marker.status === 'finished') return false;
    const { userId } = marker;
    const context = {
      actor: ACTOR,
      now: deps.clock.now(),
      correlationId: `bootstrap-${userId}`,
    };
    await makeAdministrator(deps.store, userId, context);
    if (!(await wasHandedOver(deps, userId))) await handOverKey(deps, userId, context);
    await finishBootstrap(deps.database);
    return true;
  });
}

async function makeAdministrator(
  store: EventStore,
  userId: string,
  context: DecisionContext,
): Promise<void> {
  const profile = { userName: 'admin', displayName: 'Bootstrap administrator', email: null };
  const assignee = { kind: 'user', id: userId } as const;
  await handleCommand(
    store,
    userDecider,
    userStream(userId),
    { type: 'provision-user', userId, ...profile },
    context,
  );
  await handleCommand(
    store,
    roleAssignmentDecider,
    rolesStream(assignee),
    { type: 'assign-role', assignee, role: ADMIN_ROLE, roleExists: true },
    context,
  );
}

/** Whether the token at hand opens: one of an earlier installation may lie there still. */
async function wasHandedOver({ database, handover }: BootstrapDeps, userId: string) {
  const token = parseToken((await handover.find()) ?? '');
  if (token === undefined) return false;
  const { rowCount } = await database.pool.query(
    `select 1 from keys where key_id = $1 and secret_sha256 = $2
       and principal_kind = 'user' and principal_id = $3 and revoked_at is null`,
    [token.keyId, token.secretSha256, userId],
  );
  return rowCount === 1;
}

async function handOverKey(
  { database, store, handover }: BootstrapDeps,
  userId: string,
  context: DecisionContext,
): Promise<void> {
  const { rows } = await database.pool.query<{ key_id: string }>(
    `select key_id from keys where principal_kind = 'user' and principal_id = $1 and label = $2 and revoked_at is null`,
    [userId, LABEL],
  );
  for (const { key_id: keyId } of rows) {
    const command = {
      type: 'revoke-key',
      keyId,
      reason: 'its token was never handed over',
    } as const;
    await handleCommand(store, keyDecider, keyStream(keyId), command, context);
  }
  const { token, ...key } = mintNewKey();
  const principal = { kind: 'user', id: userId } as const;
  await handleCommand(
    store,
    keyDecider,
    keyStream(key.keyId),
    { type: 'issue-key', ...key, principal, label: LABEL, expiresAt: null, rotatedFrom: null },
    context,
  );
  await handover.deliver(token);
}
