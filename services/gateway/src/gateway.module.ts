import { join } from 'node:path';
import type { Platform, ServiceModule } from '@gatehouse/platform';
import { Module } from '@nestjs/common';
import { SpoolEvidence, spoolDefaults } from './evidence/spool-evidence.ts';
import type { GatewayConfig } from './gateway.config.ts';
import { openGate } from './open-gate.ts';

/** The gateway service: MCP on raw requests ahead of the framework, evidence on the local disk. */
@Module({})
export class GatewayModule {
  static with(platform: Platform, config: GatewayConfig): ServiceModule {
    const { dataDirectory } = platform;
    const evidence = new SpoolEvidence(
      platform,
      spoolDefaults(join(dataDirectory, 'spool'), join(dataDirectory, 'audit.key')),
    );
    const gate = openGate(config, { ...platform, evidence });
    // Evidence starts before the gate and stops after it: what is under way at the end is recorded too.
    return {
      name: 'gateway',
      module: { module: GatewayModule },
      workers: [evidence, gate.worker],
      rawHandler: gate.handler,
    };
  }
}
