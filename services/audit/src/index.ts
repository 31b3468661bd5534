/** Audit as a process hosts it. */
export { auditDeployable, auditService } from './audit.module.ts';
/** The settings of audit. */
export { auditConfig, type AuditConfig } from './audit.config.ts';
/** The SQL that brings the schema `audit` to head. */
export { auditMigrations } from './migrations.ts';
