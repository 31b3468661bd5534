export { adminDeployable, adminService } from './admin.module.ts';
export { adminConfig, type AdminConfig } from './admin.config.ts';
export { adminMigrations } from './migrations.ts';
export { printSchema } from './schema/print-schema.ts';
export { printSchemaTypes } from './schema/print-types.ts';
