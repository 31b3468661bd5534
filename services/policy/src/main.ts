import { runService } from '@gatehouse/platform';
import { policyConfig } from './policy.config.ts';
import { policyService } from './policy.module.ts';
import { policyMigrations } from './migrations.ts';

await runService(
  { name: 'policy', section: policyConfig, compose: policyService, needs: policyMigrations },
  process.env,
);
