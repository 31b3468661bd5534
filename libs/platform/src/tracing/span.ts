import {
  context,
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api';
import { Refusal } from '@gatehouse/problem-catalog';
import { readTraceparent, writeTraceparent } from './traceparent.ts';

export type { Span } from '@opentelemetry/api';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** What a span is, and where it belongs. */
export interface SpanOptions {
  readonly kind?: keyof typeof kinds;
  readonly attributes?: Attributes;
  /** The traceparent that it continues; null for a trace of its own. Without it, it is part of what runs. */
  readonly from?: string | null | undefined;
  /** Traceparents of what else it has to do with. */
  readonly links?: readonly string[];
  readonly startTime?: TimeInput;
}

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
// Not the API's own, which would go through its do-nothing objects where there is no SDK.
let tracer: Tracer | undefined;

/** Whether this process traces at all. Where it does not, nothing below does or costs anything. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/** Called where an SDK is put in place, or taken away. */
export function traceWith(given: Tracer | undefined): void {
  tracer = given;
}

/** Begins a span, which its caller ends. */
export function startSpan(
  name: string,
  { kind = 'internal', attributes = {}, from, links = [], startTime }: SpanOptions = {},
): Span {
  if (tracer === undefined) return NO_SPAN;
  const options = {
    kind: kinds[kind],
    attributes,
    links: links.flatMap(linkTo),
    ...(startTime === undefined ? {} : { startTime }),
  };
  return tracer.startSpan(name, options, parentOf(from));
}

/** Runs the work as part of a span that goes on after it. */
export function inSpan<T>(span: Span, work: () => T): T {
  return isTracing() ? context.with(trace.setSpan(context.active(), span), work) : work();
}

/** Runs the work inside a span of its own, which ends with it, well or not. */
export function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => T): T {
  if (tracer === undefined) return work(NO_SPAN);
  const span = startSpan(name, options);
  return inSpan(span, () => {
    try {
      const result = work(span);
      if (!(result instanceof Promise)) return ended(span, result);
      return result.then(
        (value: unknown) => ended(span, value),
        (error: unknown) => {
          throw failed(span, error);
        },
      ) as T;
    } catch (error) {
      throw failed(span, error);
    }
  });
}

/** The span that runs now; one that records nothing where there is none. */
export function currentSpan(): Span {
  return (isTracing() ? trace.getActiveSpan() : undefined) ?? NO_SPAN;
}

/** The traceparent of a span, by which others continue it; undefined where nothing traces. */
export function traceparentOf(span: Span): string | undefined {
  const place = span.spanContext();
  return trace.isSpanContextValid(place) ? writeTraceparent(place) : undefined;
}

/** The traceparent of the span we are in, or undefined where nothing traces. */
export function currentTraceparent(): string | undefined {
  return isTracing() ? traceparentOf(currentSpan()) : undefined;
}

/** Says on a span that its work failed, and how: a refusal by its code, a bug by its error. */
export function markFailed(span: Span, error: unknown): void {
  if (error instanceof Refusal) return failSpan(span, error.code);
  failSpan(span, error instanceof Error ? error.name : typeof error);
  span.recordException(error instanceof Error ? error : String(error));
}

/** Says on a span that its work failed, by a word of which there are few. */
export function failSpan(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function parentOf(from: string | null | undefined): Context {
  if (from === undefined) return context.active();
  const place = from === null ? undefined : readTraceparent(from);
  return place === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, place);
}

function linkTo(traceparent: string): Link[] {
  const place = readTraceparent(traceparent);
  return place === undefined ? [] : [{ context: place }];
}

function ended<T>(span: Span, result: T): T {
  span.end();
  return result;
}

function failed(span: Span, error: unknown): unknown {
  markFailed(span, error);
  span.end();
  return error;
}
