import { runService } from '@gatehouse/platform';
import { identityConfig } from './identity.config.ts';
import { identityService } from './identity.module.ts';
import { identityMigrations } from './migrations.ts';

await runService(
  {
    name: 'identity',
    section: identityConfig,
    compose: identityService,
    needs: identityMigrations,
  },
  process.env,
);
