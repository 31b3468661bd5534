import { fileURLToPath } from 'node:url';
import { registryCommands } from '@gatehouse/event-catalog';
import {
  deployable,
  internalController,
  OutboxRelay,
  platformMigrations,
  PostgresEventStore,
  type CommandHandlers,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import { catalogueFeed } from './catalogue/catalogue-feed.ts';
import { fetchCatalogue } from './catalogue/fetch-catalogue.command.ts';
import { serversProjection } from './catalogue/servers.projection.ts';
import { approveServer } from './intake/approve-server.command.ts';
import { classifyTool } from './intake/classify-tool.command.ts';
import { rejectServer } from './intake/reject-server.command.ts';
import { resumeServer } from './intake/resume-server.command.ts';
import { submitServer } from './intake/submit-server.command.ts';
import { suspendServer } from './intake/suspend-server.command.ts';
import { registryConfig, type RegistryConfig } from './registry.config.ts';

/** The schema of the registry and the folders of SQL that bring it to head. */
export const registryMigrations = {
  schema: 'registry',
  folders: [
    platformMigrations.eventStore,
    fileURLToPath(new URL('../migrations', import.meta.url)),
  ],
} as const;

class RegistryModule {}

/** Servers' way from submission to approval, and the approved catalogue that gates serve. */
export function registryService(platform: Platform, config: RegistryConfig): ServiceModule {
  const database = platform.database('registry');
  const store = new PostgresEventStore(database, [serversProjection]);
  const commands: CommandHandlers<typeof registryCommands> = {
    'submit-server': submitServer(store, config),
    'fetch-catalogue': fetchCatalogue(store, config),
    'classify-tool': classifyTool(store),
    'approve-server': approveServer(store),
    'reject-server': rejectServer(store),
    'suspend-server': suspendServer(store),
    'resume-server': resumeServer(store),
  };
  const { bus, clock, log } = platform;
  return {
    name: 'registry',
    module: {
      module: RegistryModule,
      controllers: [internalController(platform, 'registry', registryCommands, commands)],
    },
    workers: [
      new OutboxRelay({ database, store, bus, log, clock, feeds: [catalogueFeed(database)] }),
    ],
    rebuild: () => store.rebuildProjections(),
  };
}

/** Registry as a process of its own. */
export const registryDeployable = deployable({
  name: 'registry',
  section: registryConfig,
  compose: registryService,
  needs: registryMigrations,
});
