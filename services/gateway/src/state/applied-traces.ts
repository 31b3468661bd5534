import { inSpan, isTracing, startSpan, type Span } from '@gatehouse/platform';

/** The traces that brought what the gate applies together: a span in each, and in each one for whatever that set off. */
export class AppliedTraces {
  readonly #spans = new Map<string, Span>();

  /** Goes on with the trace that a change came in. */
  note(traceparent: string): void {
    if (!isTracing() || this.#spans.has(traceparent)) return;
    const span = startSpan('gateway.apply-state', { kind: 'consumer', from: traceparent });
    this.#spans.set(traceparent, span);
  }

  /** Runs a reaction, which answers how much it did; of one that found nothing to do there is no span. */
  react(name: string, reaction: () => number): void {
    const [first] = this.#spans.values();
    if (first === undefined) return void reaction();
    const startTime = Date.now();
    const count = inSpan(first, reaction);
    if (count === 0) return;
    const options = { startTime, attributes: { 'gatehouse.count': count } };
    for (const span of this.#spans.values()) {
      inSpan(span, () => startSpan(name, options)).end();
    }
  }

  /** All that these changes set off has been done. */
  end(): void {
    for (const span of this.#spans.values()) span.end();
  }
}
