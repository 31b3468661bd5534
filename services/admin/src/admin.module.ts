import {
  identityCommands,
  policyCommands,
  registryCommands,
  topics,
} from '@gatehouse/event-catalog';
import {
  deployable,
  OwnerClient,
  ProjectionRunner,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import type { DynamicModule } from '@nestjs/common';
import { adminConfig, type AdminConfig } from './admin.config.ts';
import { adminMigrations } from './migrations.ts';
import { agentsProjection } from './agent/agents.projection.ts';
import { AgentsResolver } from './agent/agents.resolver.ts';
import { RoleAssignmentsResolver } from './assignment/role-assignments.resolver.ts';
import { roleAssignmentsProjection } from './assignment/role-assignments.projection.ts';
import { AuditResolver, OWNERS } from './audit/audit.resolver.ts';
import { AccessState } from './caller/access-state.ts';
import { bundleProjection } from './gate/bundle.projection.ts';
import { GateResolver } from './gate/gate.resolver.ts';
import { graphqlModule } from './graphql.module.ts';
import { groupMembersProjection } from './group/group-members.projection.ts';
import { groupsProjection } from './group/groups.projection.ts';
import { GroupsResolver } from './group/groups.resolver.ts';
import { keysProjection } from './key/keys.projection.ts';
import { KeysResolver } from './key/keys.resolver.ts';
import { CommandSender, IDENTITY, POLICY, REGISTRY } from './owner/command-sender.ts';
import { READ_MODEL, type ReadModel } from './read-model.ts';
import { rolesProjection } from './role/roles.projection.ts';
import { RolesResolver } from './role/roles.resolver.ts';
import { serversProjection } from './server/servers.projection.ts';
import { ServersResolver } from './server/servers.resolver.ts';
import { toolsProjection } from './tool/tools.projection.ts';
import { ToolsResolver } from './tool/tools.resolver.ts';
import { usersProjection } from './user/users.projection.ts';
import { UsersResolver } from './user/users.resolver.ts';

class AdminModule {}

const resolvers = [
  AgentsResolver,
  AuditResolver,
  GateResolver,
  GroupsResolver,
  KeysResolver,
  RoleAssignmentsResolver,
  RolesResolver,
  ServersResolver,
  ToolsResolver,
  UsersResolver,
];

/** The runner that keeps every read table of this service. */
function readModelRunner(platform: Pick<Platform, 'bus' | 'database'>): ProjectionRunner {
  return new ProjectionRunner({
    name: 'read-model',
    database: platform.database('admin'),
    bus: platform.bus,
    topics: [topics.identity, topics.policy, topics.registry],
    projections: [
      usersProjection,
      groupsProjection,
      groupMembersProjection,
      agentsProjection,
      keysProjection,
      roleAssignmentsProjection,
      rolesProjection,
      bundleProjection,
      toolsProjection,
      serversProjection,
    ],
  });
}

/** The admin API as a process hosts it: GraphQL at `/graphql` over its own read models; commands go to their owners. */
export function adminService(platform: Platform, config: AdminConfig): ServiceModule {
  const { clock, log } = platform;
  const database = platform.database('admin');
  const model: ReadModel = { database, clock, maxPageSize: config.maxPageSize };
  const access = new AccessState(platform, config);
  const runner = readModelRunner(platform);
  const owners = new OwnerClient(platform);
  const sending = { owners, runner, timeoutMs: config.readModelTimeoutMs, log };
  const module: DynamicModule = {
    module: AdminModule,
    imports: [graphqlModule({ access, model, config, log })],
    providers: [
      ...resolvers,
      { provide: READ_MODEL, useValue: model },
      { provide: IDENTITY, useValue: new CommandSender('identity', identityCommands, sending) },
      { provide: POLICY, useValue: new CommandSender('policy', policyCommands, sending) },
      { provide: REGISTRY, useValue: new CommandSender('registry', registryCommands, sending) },
      { provide: OWNERS, useValue: owners },
    ],
  };
  return {
    name: 'admin',
    module,
    workers: [access, runner],
    async rebuild() {
      await runner.rebuild();
      await runner.stop();
    },
  };
}

/** Admin as a process of its own. */
export const adminDeployable = deployable({
  name: 'admin',
  section: adminConfig,
  compose: adminService,
  needs: adminMigrations,
});
