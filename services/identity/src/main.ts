import { runService } from '@gatehouse/platform';
import { identityConfig } from './identity.config.ts';
import { identityService } from './identity.module.ts';

await runService(
  { name: 'identity', section: identityConfig, compose: identityService },
  process.env,
);
