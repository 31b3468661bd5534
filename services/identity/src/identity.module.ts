import { identityCommands, topics } from '@gatehouse/event-catalog';
import type { EventStore } from '@gatehouse/event-sourcing';
import {
  deployable,
  internalController,
  OutboxRelay,
  PostgresEventStore,
  ProjectionRunner,
  type CommandHandlers,
  type ConfigOf,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import { disableAgent } from './agent/disable-agent.command.ts';
import { enableAgent } from './agent/enable-agent.command.ts';
import { registerAgent } from './agent/register-agent.command.ts';
import { renameAgent } from './agent/rename-agent.command.ts';
import { adminTokenFile } from './bootstrap/admin-token-file.ts';
import { bootstrapWorker } from './bootstrap/bootstrap-worker.ts';
import { directoryTables, guardedDirectory } from './directory/guarded-directory.ts';
import { principalsFeed } from './directory/principals-feed.ts';
import { addGroupMember } from './group/add-group-member.command.ts';
import { createGroup } from './group/create-group.command.ts';
import { deleteGroup } from './group/delete-group.command.ts';
import { removeGroupMember } from './group/remove-group-member.command.ts';
import { renameGroup } from './group/rename-group.command.ts';
import { identityConfig } from './identity.config.ts';
import { identityMigrations } from './migrations.ts';
import { issueKey } from './key/issue-key.command.ts';
import { revokeKey } from './key/revoke-key.command.ts';
import { rotateKey } from './key/rotate-key.command.ts';
import { assignRole } from './role-assignment/assign-role.command.ts';
import {
  keepHeardDeletions,
  knownRolesProjection,
} from './role-assignment/known-roles.projection.ts';
import { RevokeAssignmentsWhenRoleDeleted } from './role-assignment/revoke-assignments-when-role-deleted.reactor.ts';
import { revokeRole } from './role-assignment/revoke-role.command.ts';
import { roleExists } from './role-assignment/role-exists.query.ts';
import { deactivateUser } from './user/deactivate-user.command.ts';
import { provisionUser } from './user/provision-user.command.ts';
import { reactivateUser } from './user/reactivate-user.command.ts';
import { updateUser } from './user/update-user.command.ts';

class IdentityModule {}

/** Identity as a process hosts it: commands in, its log to the bus, the state of everybody to the gateways. */
export function identityService(
  platform: Platform,
  config: ConfigOf<typeof identityConfig>,
): ServiceModule {
  const { bus, clock, log, readiness } = platform;
  const database = platform.database('identity');
  const store = new PostgresEventStore(database, [guardedDirectory]);
  const commands = commandsOf(store, (role) =>
    roleExists(database, role, config.newRolePatienceMs),
  );
  const knownRoles = new ProjectionRunner({
    name: 'known-roles',
    database,
    bus,
    topics: [topics.policy],
    projections: [knownRolesProjection],
  });
  const relay = new OutboxRelay({
    database,
    store,
    bus,
    log,
    clock,
    feeds: [principalsFeed(database, clock)],
  });
  const revoking = new RevokeAssignmentsWhenRoleDeleted({ database, store, clock, log });
  const handover = adminTokenFile(platform.dataDirectory);
  const bootstrap = config.bootstrapAdmin
    ? [bootstrapWorker({ database, store, clock, handover, readiness, log })]
    : [];
  return {
    name: 'identity',
    module: {
      module: IdentityModule,
      controllers: [internalController(platform, 'identity', identityCommands, commands)],
    },
    workers: [knownRoles, revoking, relay, ...bootstrap],
    async rebuild() {
      // What is in the log was allowed when it was appended: the guards have no say in a replay.
      await new PostgresEventStore(database, directoryTables).rebuildProjections();
      await keepHeardDeletions(database.pool);
      await knownRoles.rebuild();
      await knownRoles.stop();
    },
  };
}

function commandsOf(
  store: EventStore,
  roleExists: (role: string) => Promise<boolean>,
): CommandHandlers<typeof identityCommands> {
  return {
    'provision-user': provisionUser(store),
    'update-user': updateUser(store),
    'deactivate-user': deactivateUser(store),
    'reactivate-user': reactivateUser(store),
    'create-group': createGroup(store),
    'rename-group': renameGroup(store),
    'delete-group': deleteGroup(store),
    'add-group-member': addGroupMember(store),
    'remove-group-member': removeGroupMember(store),
    'assign-role': assignRole(store, roleExists),
    'revoke-role': revokeRole(store),
    'register-agent': registerAgent(store),
    'rename-agent': renameAgent(store),
    'disable-agent': disableAgent(store),
    'enable-agent': enableAgent(store),
    'issue-key': issueKey(store),
    'rotate-key': rotateKey(store),
    'revoke-key': revokeKey(store),
  };
}

/** Identity as a process of its own. */
export const identityDeployable = deployable({
  name: 'identity',
  section: identityConfig,
  compose: identityService,
  needs: identityMigrations,
});
