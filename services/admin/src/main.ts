import { runService } from '@gatehouse/platform';
import { adminConfig } from './admin.config.ts';
import { adminService } from './admin.module.ts';
import { adminMigrations } from './migrations.ts';

await runService(
  { name: 'admin', section: adminConfig, compose: adminService, needs: adminMigrations },
  process.env,
);
