import type { RecordedEvent } from '@gatehouse/event-catalog';
import type { InlineProjection } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { agentsProjection } from '../agent/agents.projection.ts';
import { groupsProjection } from '../group/groups.projection.ts';
import { keysProjection } from '../key/keys.projection.ts';
import { roleAssignmentsProjection } from '../role-assignment/role-assignments.projection.ts';
import { ADMIN_ROLE, someoneAdministers } from '../role-assignment/someone-administers.query.ts';
import { usersProjection } from '../user/users.projection.ts';
import { requireKnownParties } from './require-known-parties.ts';

/** Identity's read tables; a rebuild opens the store with these. Users come last: the others refer to them. */
export const directoryTables: readonly InlineProjection[] = [
  keysProjection,
  roleAssignmentsProjection,
  groupsProjection,
  agentsProjection,
  usersProjection,
];

/**
 * The read tables behind the rules that reach across streams: parties are there, and somebody is left to administer.
 * A decider sees one stream; these are asked inside the append, where the lock on the head of the log lets no other
 * append in between, so two administrators cannot lock each other out at the same moment.
 */
export const guardedDirectory: InlineProjection = {
  name: 'guarded-directory',
  tables: directoryTables.flatMap(({ tables }) => tables),
  refusals: Object.assign({}, ...directoryTables.map(({ refusals }) => refusals)),
  async apply(client, event) {
    await requireKnownParties(client, event);
    const mustKeepOne = mayEndAdministration(event) && (await someoneAdministers(client));
    for (const table of directoryTables) await table.apply(client, event);
    if (mustKeepOne && !(await someoneAdministers(client))) throw new Refusal('last-administrator');
  },
};

function mayEndAdministration({ type, data }: RecordedEvent): boolean {
  switch (type) {
    case 'identity.role-revoked.v1':
      return data.role === ADMIN_ROLE;
    case 'identity.user-deactivated.v1':
    case 'identity.agent-disabled.v1':
    case 'identity.group-member-removed.v1':
    case 'identity.group-deleted.v1':
      return true;
    default:
      return false;
  }
}
