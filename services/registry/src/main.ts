import { runService } from '@gatehouse/platform';
import { registryConfig } from './registry.config.ts';
import { registryMigrations, registryService } from './registry.module.ts';

await runService(
  {
    name: 'registry',
    section: registryConfig,
    compose: registryService,
    needs: registryMigrations,
  },
  process.env,
);
