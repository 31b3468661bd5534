import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../log/logger.ts';
import { tellHosted } from '../metrics/build-info.ts';
import type { Platform } from '../platform.ts';
import type { Worker } from '../worker/worker.ts';
import { healthController } from './health.controller.ts';
import { hideInternal, sendNotFound } from './hide-internal.ts';
import { measureRequests } from './http-metrics.ts';
import { createHttpServer, type RawHandler } from './http-server.ts';
import { BrokenConnections, type OnMalformedRequest } from './malformed-request.ts';
import { ProblemFilter } from './problem.filter.ts';
import { traceRequests } from './trace-requests.ts';
import { followRequests } from './requests-in-hand.ts';

/** One service as a process hosts it: what it answers and what it does in the background. */
export interface ServiceModule {
  readonly name: string;
  readonly module: DynamicModule;
  readonly workers: readonly Worker[];
  readonly rawHandler?: RawHandler;
  /** Told of what arrives and is no request, before that is answered. */
  readonly onMalformedRequest?: OnMalformedRequest;
  /** Empties the service's read tables and folds them anew from the logs. Run while nothing else runs. */
  readonly rebuild?: () => Promise<unknown>;
}

/** What a process hosts, where it listens, and how long it may take to end. */
export interface HostOptions {
  readonly platform: Platform;
  readonly services: readonly ServiceModule[];
  readonly host: string;
  readonly port: number;
  /** What `/metrics` must be asked with; nothing where undefined. */
  readonly metricsToken?: string | undefined;
  /** Told the address once it listens, before the workers start. */
  readonly onListening?: (url: string) => void | Promise<void>;
  /** Start a worker again and again until it does or this aborts; without it, the first failure ends the process. */
  readonly startUntil?: AbortSignal;
  /** How long requests in hand, and then the workers, may take to finish when the process ends. */
  readonly grace?: { readonly requestsMs: number; readonly workersMs: number };
}

/** A running process: its address, its application (for `inject` in tests), and how to end it. */
export interface Hosted {
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Takes no new requests, answers those in hand, lets workers finish what they hold, and resolves when all has ended: within bounds, whatever hangs. */
  close(): Promise<void>;
}

@Module({})
class HostModule {}

const BODY_LIMIT = 1024 * 1024;
const RETRY_MS = 500;
// Together less than what Kubernetes and Compose give a process to end.
const GRACE = { requestsMs: 8_000, workersMs: 18_000 };

/** Starts the services in one HTTP server: it listens first (and is not ready), then the workers start, in the order given. */
export async function host({
  platform,
  services,
  host: hostname,
  port,
  metricsToken,
  onListening,
  startUntil,
  grace = GRACE,
}: HostOptions): Promise<Hosted> {
  const adapter = adapterOf(services, platform.log);
  measureRequests(adapter.getInstance());
  traceRequests(adapter.getInstance());
  hideInternal(adapter.getInstance(), platform.serviceToken);
  const requests = followRequests(adapter.getInstance());
  tellHosted(services.map(({ name }) => name));
  const root: DynamicModule = {
    module: HostModule,
    imports: services.map((service) => service.module),
    controllers: [healthController(platform, metricsToken)],
  };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, { logger: false });
  app.useGlobalFilters(new ProblemFilter(platform.log));
  await app.listen(port, hostname);
  const workers = services.flatMap((service) => service.workers);
  const started: Worker[] = [];
  const close = async (): Promise<void> => {
    const unanswered = await requests.finish(grace.requestsMs);
    if (unanswered > 0) platform.log.warn({ unanswered }, 'requests were cut: they took too long');
    await stopWorkers(started.toReversed(), grace.workersMs, platform.log);
    await app.close();
  };
  try {
    await onListening?.(urlOf(app, hostname));
    for (const worker of workers) {
      if (await startWorker(worker, platform.log, startUntil)) started.push(worker);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { url: urlOf(app, hostname), app, close };
}

function adapterOf(services: readonly ServiceModule[], log: Logger): FastifyAdapter {
  const handlers = services.flatMap((service) => service.rawHandler ?? []);
  const told = services.flatMap((service) => service.onMalformedRequest ?? []);
  const broken = new BrokenConnections(told, log);
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    genReqId: () => uuidv7(),
    serverFactory: (framework: RequestListener) => createHttpServer(handlers, framework, broken),
    clientErrorHandler: (error, socket) => broken.fail(error, socket),
    // What the router cannot even read as an address is an address of nothing.
    frameworkErrors: (_error: unknown, request: { readonly id: string }, reply: unknown) =>
      sendNotFound(request.id, reply as FastifyReply),
    forceCloseConnections: true,
  });
}

async function stopWorkers(
  workers: readonly Worker[],
  withinMs: number,
  log: Logger,
): Promise<void> {
  let stopping = '';
  const inOrder = async (): Promise<string> => {
    for (const worker of workers) {
      stopping = worker.name;
      try {
        await worker.stop();
      } catch (error) {
        log.error({ worker: worker.name, err: error }, 'did not stop well');
      }
    }
    return 'stopped';
  };
  const end = await Promise.race([inOrder(), sleep(withinMs, 'late', { ref: false })]);
  if (end === 'late') log.error({ worker: stopping }, 'did not stop in time and is left behind');
}

async function startWorker(
  worker: Worker,
  log: Logger,
  until: AbortSignal | undefined,
): Promise<boolean> {
  for (;;) {
    if (until?.aborted === true) return false;
    try {
      await worker.start();
      return true;
    } catch (error) {
      if (until === undefined) throw error;
      log.warn(
        { worker: worker.name, reason: (error as Error).message },
        'could not start yet and will be retried',
      );
      await sleep(RETRY_MS);
    }
  }
}

function urlOf(app: NestFastifyApplication, hostname: string): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
}
