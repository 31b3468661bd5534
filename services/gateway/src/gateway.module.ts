import { join } from 'node:path';
import { deployable, type Platform, type ServiceModule } from '@gatehouse/platform';
import { SpoolEvidence, spoolDefaults } from './evidence/spool-evidence.ts';
import { gatewayConfig, type GatewayConfig } from './gateway.config.ts';
import { openGate } from './open-gate.ts';

class GatewayModule {}

/** The gateway as a process hosts it: MCP on raw requests ahead of the framework, evidence on the local disk. */
export function gatewayService(platform: Platform, config: GatewayConfig): ServiceModule {
  const { dataDirectory } = platform;
  const evidence = new SpoolEvidence(platform, {
    ...spoolDefaults(join(dataDirectory, 'spool'), join(dataDirectory, 'audit.key')),
    minFreeBytes: config.spoolMinFreeBytes,
    backlogLimitBytes: config.spoolBacklogBytes,
  });
  const gate = openGate(config, { ...platform, evidence });
  return {
    name: 'gateway',
    module: { module: GatewayModule },
    // Evidence starts before the gate and stops after it: what is under way at the end is recorded too.
    workers: [evidence, gate.worker],
    rawHandler: gate.handler,
    onMalformedRequest: gate.onMalformedRequest,
  };
}

/** Gateway as a process of its own. */
export const gatewayDeployable = deployable({
  name: 'gateway',
  section: gatewayConfig,
  compose: gatewayService,
});
