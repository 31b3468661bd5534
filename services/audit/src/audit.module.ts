import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditQueries } from '@gatehouse/event-catalog';
import { internalController, type Platform, type ServiceModule } from '@gatehouse/platform';
import { Module } from '@nestjs/common';
import type { AuditConfig } from './audit.config.ts';
import { revealArguments } from './trail/reveal-arguments.query.ts';
import { searchTrail } from './trail/search-trail.query.ts';
import { StoreRecordsWhenGatesPublish } from './trail/store-records-when-gates-publish.reactor.ts';

/** The folders of SQL that bring the schema `audit` to head. */
export const auditMigrations = [fileURLToPath(new URL('../migrations', import.meta.url))] as const;

/** The audit service: stores what gates publish, answers searches. */
@Module({})
export class AuditModule {
  static with(platform: Platform, config: AuditConfig): ServiceModule {
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
}
