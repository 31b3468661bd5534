import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@gatehouse/event-catalog';
import type { ConfigOf, ConfigSection } from '../config/config-section.ts';
import { ConfigError, loadConfig } from '../config/load-config.ts';
import type { NeededSchema } from '../database/schema-claim.ts';
import { host, type ServiceModule } from '../host/host.ts';
import { metricsConfig, readMetricsToken } from '../metrics/metrics.config.ts';
import type { Platform } from '../platform.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { tracingConfig } from '../tracing/tracing.config.ts';
import { endInTime } from './end-in-time.ts';
import { processPlatform, type ProcessPlatform } from './process-platform.ts';
import { clusterSections } from './cluster-sections.ts';
import { processConfig } from './process.config.ts';

const THE_BUS = 'the event bus';
const RETRY_MS = 500;
const REMIND_MS = 5_000;
const WRONG_CONFIGURATION = 2;
// What hosts do for themselves is bounded below this; it is for connections that nobody can close.
const END_MS = 28_000;

/** What a service consists of: its name, its settings, and how it is composed on a platform. */
export interface ServiceParts<Section extends ConfigSection> {
  readonly name: ServiceName;
  readonly section: Section;
  /** The schema that it owns; a service without one has no database. */
  readonly needs?: NeededSchema;
  compose(platform: Platform, config: ConfigOf<Section>): ServiceModule;
}

/**
 * Runs one service in this process until SIGINT or SIGTERM. It listens at once and is not ready; then it waits for
 * its database, where it has one, and the bus, says what it waits for, and starts its work. The order in which processes start does
 * not matter.
 */
export async function runService<Section extends ConfigSection>(
  parts: ServiceParts<Section>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  try {
    await run(parts, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`gatehouse ${parts.name}: ${error.message}\n`);
    process.exitCode = WRONG_CONFIGURATION;
  }
}

async function run<Section extends ConfigSection>(
  parts: ServiceParts<Section>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const sections = [processConfig, metricsConfig, tracingConfig, parts.section] as const;
  const settings = loadConfig(sections, {
    env,
    file: env['GATEHOUSE_CONFIG'],
    otherEnv: ['GATEHOUSE_CONFIG'],
    otherSections: clusterSections,
  });
  const own = settings as unknown as Readonly<Record<string, ConfigOf<Section>>>;
  const metricsToken = await readMetricsToken(settings.metrics);
  const ground = await processPlatform(parts.name, settings.process, parts.needs);
  const { platform } = ground;
  const tracing = await startTracing(settings.tracing, parts.name, platform.log);
  const stopping = new AbortController();
  const stopped = nextSignal().then((signal) => {
    platform.log.info({ signal }, 'stopping');
    stopping.abort();
    endInTime(END_MS, (sentence) => platform.log.error(sentence));
  });
  const basis = parts.needs === undefined ? THE_BUS : `its database and ${THE_BUS}`;
  const reached = platform.readiness.waitFor(basis);
  const hosted = await host({
    platform,
    services: [parts.compose(platform, own[parts.section.name]!)],
    host: settings.process.host,
    port: settings.process.port,
    metricsToken,
    startUntil: stopping.signal,
    async onListening(url) {
      platform.log.info({ url }, 'listening');
      if (await untilReached(ground, basis, stopping.signal)) reached.done();
    },
  });
  void tellReadiness(platform, stopping.signal);
  await stopped;
  await hosted.close();
  await ground.close();
  await tracing.close();
}

/** False where it was told to end before. */
async function untilReached(
  ground: ProcessPlatform,
  basis: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { log, readiness } = ground.platform;
  for (let told = 0; !signal.aborted;) {
    try {
      await ground.reach();
      return true;
    } catch (error) {
      if (Date.now() - told > REMIND_MS) {
        log.warn(
          { reason: (error as Error).message, waitingFor: readiness.pending },
          `waiting for ${basis}`,
        );
        told = Date.now();
      }
      await sleep(RETRY_MS);
    }
  }
  return false;
}

async function tellReadiness({ readiness, log }: Platform, signal: AbortSignal): Promise<void> {
  for (let told = ''; !signal.aborted; await sleep(RETRY_MS, undefined, { ref: false })) {
    const now = readiness.pending.join(', ');
    if (now === '') {
      log.info('ready');
      return;
    }
    if (now !== told) log.info({ waitingFor: readiness.pending }, 'waiting');
    told = now;
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => resolve(signal));
  });
}
