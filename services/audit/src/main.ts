import { runService } from '@gatehouse/platform';
import { auditConfig } from './audit.config.ts';
import { auditService } from './audit.module.ts';
import { auditMigrations } from './migrations.ts';

await runService(
  { name: 'audit', section: auditConfig, compose: auditService, needs: auditMigrations },
  process.env,
);
