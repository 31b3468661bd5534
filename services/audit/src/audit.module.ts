import { join } from 'node:path';
import { auditQueries } from '@gatehouse/event-catalog';
import {
  deployable,
  internalController,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import { auditConfig, type AuditConfig } from './audit.config.ts';
import { auditMigrations } from './migrations.ts';
import { revealArguments } from './trail/reveal-arguments.query.ts';
import { searchTrail } from './trail/search-trail.query.ts';
import { StoreRecordsWhenGatesPublish } from './trail/store-records-when-gates-publish.reactor.ts';

class AuditModule {}

/** Audit as a process hosts it: it stores what gates publish, and answers searches. */
export function auditService(platform: Platform, config: AuditConfig): ServiceModule {
  const database = platform.database('audit');
  const keyFiles = [join(platform.dataDirectory, 'audit.key'), ...config.keyFiles];
  const controller = internalController(platform, 'audit', auditQueries, {
    search: (query) => searchTrail(database, query),
    reveal: (query) => revealArguments(database, keyFiles, query),
  });
  return {
    name: 'audit',
    module: { module: AuditModule, controllers: [controller] },
    workers: [new StoreRecordsWhenGatesPublish(platform)],
  };
}

/** Audit as a process of its own. */
export const auditDeployable = deployable({
  name: 'audit',
  section: auditConfig,
  compose: auditService,
  needs: auditMigrations,
});
