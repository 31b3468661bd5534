import { context, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { useProvider } from '../tracing/otlp-tracing.ts';
import { traceWith } from '../tracing/span.ts';

/** A span that has ended, as far as tests look at it. */
export interface RecordedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string | undefined;
  readonly kind: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly string[];
  readonly service: unknown;
}

/** The spans of this process, kept in memory by the real SDK. */
export interface RecordedSpans {
  /** Those that have ended so far, in the order of their ends. */
  all(): readonly RecordedSpan[];
  /** The one that is called so; throws where there is none, or more than one. */
  only(name: string): RecordedSpan;
  forget(): void;
  stop(): Promise<void>;
}

/** Lets this process trace from here on. */
export function recordSpans(sampleRatio = 1): RecordedSpans {
  const exporter = new InMemorySpanExporter();
  const provider = useProvider('test', new SimpleSpanProcessor({ exporter }), sampleRatio);
  const all = (): readonly RecordedSpan[] =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      traceId: span.spanContext().traceId,
      id: span.spanContext().spanId,
      parentId: span.parentSpanContext?.spanId,
      kind: span.kind,
      failed: span.status.code === SpanStatusCode.ERROR,
      attributes: span.attributes,
      links: span.links.map((link) => link.context.traceId),
      service: span.resource.attributes['service.name'],
    }));
  return {
    all,
    only(name) {
      const found = all().filter((span) => span.name === name);
      if (found.length === 1) return found[0]!;
      const names = all().map((span) => span.name);
      throw new Error(`${found.length} spans are called ${name}, of ${names.join(', ')}`);
    },
    forget: () => exporter.reset(),
    async stop() {
      traceWith(undefined);
      await provider.shutdown();
      context.disable();
    },
  };
}
