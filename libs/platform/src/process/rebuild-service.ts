import type { ConfigOf, ConfigSection } from '../config/config-section.ts';
import { loadConfig } from '../config/load-config.ts';
import { metricsConfig } from '../metrics/metrics.config.ts';
import { tracingConfig } from '../tracing/tracing.config.ts';
import { processPlatform } from './process-platform.ts';
import { processConfig } from './process.config.ts';
import type { Deployable } from './run-service.ts';

/** Folds the read tables of one service anew from the logs, with the settings it is served with; it must not run meanwhile. False where it keeps none. */
export async function rebuildService<Section extends ConfigSection>(
  deployable: Deployable<Section>,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const settings = loadConfig(
    [processConfig, metricsConfig, tracingConfig, deployable.section] as const,
    {
      env,
      file: env['GATEHOUSE_CONFIG'],
      otherEnv: ['GATEHOUSE_CONFIG'],
    },
  );
  const own = settings as unknown as Readonly<Record<string, ConfigOf<Section>>>;
  const ground = await processPlatform(deployable.name, settings.process, deployable.needs);
  try {
    const { rebuild } = deployable.compose(ground.platform, own[deployable.section.name]!);
    if (rebuild === undefined) return false;
    await ground.reach();
    await rebuild();
    return true;
  } finally {
    await ground.close();
  }
}
