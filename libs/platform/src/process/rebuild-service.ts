import type { ConfigOf, ConfigSection } from '../config/config-section.ts';
import { loadConfig } from '../config/load-config.ts';
import { metricsConfig } from '../metrics/metrics.config.ts';
import { tracingConfig } from '../tracing/tracing.config.ts';
import { processPlatform } from './process-platform.ts';
import { clusterSections } from './cluster-sections.ts';
import { processConfig } from './process.config.ts';
import type { ServiceParts } from './run-service.ts';

/** Folds the read tables of one service anew from the logs, with the settings it is served with; it must not run meanwhile. False where it keeps none. */
export async function rebuildService<Section extends ConfigSection>(
  parts: ServiceParts<Section>,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const settings = loadConfig(
    [processConfig, metricsConfig, tracingConfig, parts.section] as const,
    {
      env,
      file: env['GATEHOUSE_CONFIG'],
      otherEnv: ['GATEHOUSE_CONFIG'],
      otherSections: clusterSections,
    },
  );
  const own = settings as unknown as Readonly<Record<string, ConfigOf<Section>>>;
  const ground = await processPlatform(parts.name, settings.process, parts.needs);
  try {
    const { rebuild } = parts.compose(ground.platform, own[parts.section.name]!);
    if (rebuild === undefined) return false;
    await ground.reach();
    await rebuild();
    return true;
  } finally {
    await ground.close();
  }
}
