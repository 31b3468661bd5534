export { identityDeployable, identityService } from './identity.module.ts';
export { identityConfig } from './identity.config.ts';
export { identityMigrations } from './migrations.ts';
export { adminTokenPath } from './bootstrap/admin-token-file.ts';
export { recoverAdministrator } from './bootstrap/recover-administrator.ts';
