import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminService } from '@gatehouse/admin';
import { auditService } from '@gatehouse/audit';
import { gatewayService } from '@gatehouse/gateway';
import { identityService, recoverAdministrator } from '@gatehouse/identity';
import {
  ConfigError,
  host,
  metricFamilies,
  nameProcess,
  readMetricsToken,
  startTracing,
  type MetricFamily,
  type Platform,
  type ServiceModule,
} from '@gatehouse/platform';
import { policyService } from '@gatehouse/policy';
import { registryService } from '@gatehouse/registry';
import { prepareGround } from './ground.ts';
import { isInstallation } from './process/secrets.ts';
import type { Settings } from './settings.ts';

const READY_WITHIN_MS = 30_000;

/** A running standalone Gatehouse. */
export interface Standalone {
  readonly url: string;
  readonly dataDirectory: string;
  readonly databaseDirectory: string;
  /** Holds the bootstrap administrator's token; mode 0600. */
  readonly adminTokenFile: string;
  /** Finishes what is in hand, stops PostgreSQL last, and gives the data directory back. */
  stop(): Promise<void>;
}

/** Starts every service in this process, on one port and a PostgreSQL of its own; resolves once all are ready. */
export async function startStandalone(settings: Settings): Promise<Standalone> {
  nameProcess('standalone');
  const metricsToken = await readMetricsToken(settings.metrics);
  await using starting = new AsyncDisposableStack();
  const ground = starting.use(await prepareGround(settings.standalone));
  const tracing = await startTracing(settings.tracing, 'standalone', ground.platform.log);
  starting.defer(() => tracing.close());
  const hosted = await host({
    platform: ground.platform,
    services: compose(ground.platform, settings),
    host: settings.standalone.host,
    port: settings.standalone.port,
    metricsToken,
    onListening: (url) => ground.announce(url),
  });
  starting.defer(() => hosted.close());
  await untilReady(ground.platform);
  const running = starting.move();
  return {
    url: hosted.url,
    dataDirectory: ground.dataDirectory,
    databaseDirectory: ground.databaseDirectory,
    adminTokenFile: join(ground.dataDirectory, 'admin-token'),
    stop: () => running.disposeAsync(),
  };
}

/** Every metric that the services declare; they are loaded with this module. */
export function declaredMetrics(): readonly MetricFamily[] {
  return metricFamilies();
}

/** Folds every read table anew from the log; nothing else may run on the data directory. Answers the services that have some. */
export async function rebuildReadModels(settings: Settings): Promise<readonly string[]> {
  await requireInstallation(settings);
  await using ground = await prepareGround(settings.standalone);
  const rebuilt: string[] = [];
  for (const service of compose(ground.platform, settings)) {
    if (service.rebuild === undefined) continue;
    await service.rebuild();
    rebuilt.push(service.name);
  }
  return rebuilt;
}

/** Gives the bootstrap administrator a fresh token; nothing else may run on the data directory. Answers the file it lies in. */
export async function recoverAdministration(settings: Settings): Promise<string> {
  await requireInstallation(settings);
  await using ground = await prepareGround(settings.standalone);
  const { tokenFile } = await recoverAdministrator(ground.platform);
  return tokenFile;
}

/** What is to be mended must be there: a wrong folder shall not become a Gatehouse. */
async function requireInstallation({ standalone }: Settings): Promise<void> {
  const dataDirectory = resolve(standalone.data);
  if (await isInstallation(dataDirectory)) return;
  throw new ConfigError([
    `standalone.data: ${dataDirectory} holds no Gatehouse: set GATEHOUSE_DATA to the folder of the one that is meant`,
  ]);
}

/** The services, in the order in which their background work starts: who is listened to before who listens. */
function compose(platform: Platform, settings: Settings): readonly ServiceModule[] {
  return [
    policyService(platform, settings.policy),
    identityService(platform, settings.identity),
    registryService(platform, settings.registry),
    auditService(platform, settings.audit),
    adminService(platform, settings.admin),
    gatewayService(platform, settings.gateway),
  ];
}

async function untilReady({ readiness }: Platform): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (readiness.pending.length > 0) {
    if (Date.now() > deadline)
      throw new Error(`not ready in time; still waiting for ${readiness.pending.join(', ')}`);
    await sleep(10);
  }
}
