import { runService } from '@gatehouse/platform';
import { registryConfig } from './registry.config.ts';
import { registryService } from './registry.module.ts';

await runService(
  { name: 'registry', section: registryConfig, compose: registryService },
  process.env,
);
