export { policyDeployable, policyService } from './policy.module.ts';
export { policyConfig } from './policy.config.ts';
export { policyMigrations } from './migrations.ts';
