export { auditConfig, type AuditConfig } from './audit.config.ts';
export { AuditModule, auditMigrations } from './audit.module.ts';
