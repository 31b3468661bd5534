import type { Assignee, PrincipalRef, RecordedEvent } from '@gatehouse/event-catalog';
import type { SqlClient } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { ADMIN_ROLE } from '../role-assignment/someone-administers.query.ts';

/** Refuses an event about somebody who is not there, or a key for somebody who is locked out. */
export async function requireKnownParties(
  client: SqlClient,
  { type, data }: RecordedEvent,
): Promise<void> {
  switch (type) {
    case 'identity.key-issued.v1':
      await requireActive(client, data.principal);
      return;
    case 'identity.role-assigned.v1':
      await requireKnown(client, data.assignee);
      await requireRole(client, data.role);
      return;
    case 'identity.group-member-added.v1':
      await requireKnown(client, { kind: 'user', id: data.userId });
      return;
    case 'identity.agent-registered.v1':
      if (data.ownerUserId !== null)
        await requireActive(client, { kind: 'user', id: data.ownerUserId });
      return;
    default:
  }
}

/** Asked again here: policy may have deleted the role since the command looked. The administrators' is never deleted. */
async function requireRole(client: SqlClient, role: string): Promise<void> {
  if (role === ADMIN_ROLE) return;
  const { rowCount } = await client.query('select 1 from known_roles where name = $1', [role]);
  if (rowCount === 0) throw new Refusal('role-unknown');
}

interface Standing {
  readonly active: boolean;
  /** An agent is locked out with its owner. */
  readonly ownerActive: boolean;
}

const STANDING = {
  user: 'select active, true as "ownerActive" from users where user_id = $1',
  agent: `select agents.active, coalesce(owner.active, true) as "ownerActive" from agents
          left join users as owner on owner.user_id = owner_user_id where agent_id = $1`,
  group: 'select true as active, true as "ownerActive" from groups where group_id = $1',
} as const;

const UNKNOWN = { user: 'user-unknown', agent: 'agent-unknown', group: 'group-unknown' } as const;
const LOCKED_OUT = { user: 'user-deactivated', agent: 'agent-disabled' } as const;

async function requireKnown(client: SqlClient, { kind, id }: Assignee): Promise<Standing> {
  const { rows } = await client.query<Standing>(STANDING[kind], [id]);
  if (rows[0] === undefined) throw new Refusal(UNKNOWN[kind]);
  return rows[0];
}

async function requireActive(client: SqlClient, principal: PrincipalRef): Promise<void> {
  const { active, ownerActive } = await requireKnown(client, principal);
  if (!active) throw new Refusal(LOCKED_OUT[principal.kind]);
  if (!ownerActive)
    throw new Refusal('user-deactivated', {
      detail: 'The user who owns the agent is deactivated.',
    });
}
