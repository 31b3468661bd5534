import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../log/logger.ts';
import { version } from '../metrics/registry.ts';
import { traceWith } from './span.ts';
import type { Tracing } from './start-tracing.ts';

const SEND_EVERY_MS = 1_000;
// Also how long the last spans may keep a process that is told to stop.
const GIVE_UP_MS = 3_000;
const TEXT_LENGTH = 1_024;

/** Where spans go, and what is said of this process. */
export interface Collector {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sampleRatio: number;
  readonly service: string;
  readonly log: Logger;
}

/** Sends spans to a collector in the background. One that is away costs spans, and one line in the log. */
export function traceTo(collector: Collector): Tracing {
  const delivery = new Delivery(collector.log);
  const agent = collector.url.startsWith('https:')
    ? new HttpsAgent({ keepAlive: true })
    : new HttpAgent({ keepAlive: true });
  const exporter = withoutOtelVariables(
    () =>
      new OTLPTraceExporter({
        url: collector.url,
        headers: { ...collector.headers },
        timeoutMillis: GIVE_UP_MS,
        httpAgentOptions: () => agent,
      }),
  );
  const processor = new BatchSpanProcessor({
    exporter: delivery.watch(exporter),
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: GIVE_UP_MS + 500,
  });
  const provider = useProvider(collector.service, processor, collector.sampleRatio);
  setGlobalErrorHandler((error) => delivery.failed(error));
  return {
    async close() {
      traceWith(undefined);
      const given = new AbortController();
      const sent = provider.shutdown().catch((error: unknown) => delivery.failed(error));
      const late = sleep(GIVE_UP_MS, undefined, { signal: given.signal }).catch(() => undefined);
      await Promise.race([sent, late]);
      given.abort();
      // A connection that is still being made would hold the process back.
      agent.destroy();
    },
  };
}

/** Puts an SDK in place that hands spans to a processor. */
export function useProvider(
  service: string,
  processor: SpanProcessor,
  sampleRatio = 1,
): TracerProvider {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `gatehouse-${service}`,
      'service.version': version,
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: TEXT_LENGTH },
    spanProcessors: [processor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  traceWith(provider.getTracer('gatehouse', version));
  return provider;
}

/** Tells once that spans are lost, and once that they arrive again. */
class Delivery {
  readonly #log: Logger;
  #told = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  failed(error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    const reason = error instanceof Error ? error.message : JSON.stringify(error);
    const saying = 'the trace collector takes no spans: they are lost until it does';
    this.#say(() => this.#log.warn({ reason }, saying));
  }

  watch(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, answer) =>
        exporter.export(spans, (result) => {
          if (result.code === ExportResultCode.SUCCESS) this.#arrived();
          answer(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }

  #arrived(): void {
    if (this.#told) this.#say(() => this.#log.info('the trace collector takes spans again'));
    this.#told = false;
  }

  // Whose span happened to begin the batch has nothing to do with it.
  #say(line: () => void): void {
    context.with(ROOT_CONTEXT, line);
  }
}

// The exporter would add the headers of these to ours; what counts here is in our settings alone.
function withoutOtelVariables<T>(make: () => T): T {
  const hidden = Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'));
  for (const [name] of hidden) delete process.env[name];
  try {
    return make();
  } finally {
    for (const [name, value] of hidden) process.env[name] = value;
  }
}
