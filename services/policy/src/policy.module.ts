import { policyCommands } from '@gatehouse/event-catalog';
import {
  deployable,
  internalController,
  OutboxRelay,
  PostgresEventStore,
  type CommandHandlers,
  type ConfigOf,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import { currentBundleProjection } from './bundle/current-bundle.projection.ts';
import { defineRole } from './bundle/define-role.command.ts';
import { deleteRole } from './bundle/delete-role.command.ts';
import { policyFeed } from './bundle/policy-feed.ts';
import { shippedRolesWorker } from './bundle/shipped-roles-worker.ts';
import { policyConfig } from './policy.config.ts';
import { policyMigrations } from './migrations.ts';

class PolicyModule {}

/** Policy as a process hosts it: roles in, numbered bundles to the gateways. */
export function policyService(
  platform: Platform,
  _config: ConfigOf<typeof policyConfig>,
): ServiceModule {
  const { bus, clock, log, readiness } = platform;
  const database = platform.database('policy');
  const store = new PostgresEventStore(database, [currentBundleProjection]);
  const commands: CommandHandlers<typeof policyCommands> = {
    'define-role': defineRole(store),
    'delete-role': deleteRole(store),
  };
  return {
    name: 'policy',
    module: {
      module: PolicyModule,
      controllers: [internalController(platform, 'policy', policyCommands, commands)],
    },
    workers: [
      new OutboxRelay({ database, store, bus, log, clock, feeds: [policyFeed(database)] }),
      shippedRolesWorker({ store, clock, readiness }),
    ],
    rebuild: () => store.rebuildProjections(),
  };
}

/** Policy as a process of its own. */
export const policyDeployable = deployable({
  name: 'policy',
  section: policyConfig,
  compose: policyService,
  needs: policyMigrations,
});
