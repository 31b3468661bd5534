import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.ts';

/** A value for each label; label values come from sets that we bound: never a principal, a tool, or what a caller wrote. */
type Labels<L extends string> = Readonly<Record<L, string>>;

export interface MetricOptions<L extends string, Name extends string> {
  readonly name: Name;
  /** One sentence, for who reads a graph. */
  readonly help: string;
  readonly labels?: readonly L[];
  /** The service that all of it speaks of; otherwise it is a label of its own, or the process. */
  readonly service?: string;
}

/** What there is to be scraped, whether or not it has a value yet. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Something that happened so many times. */
export interface CounterMetric<L extends string> {
  inc(labels: Labels<L>, by?: number): void;
}

/** How long something took, in seconds. */
export interface HistogramMetric<L extends string> {
  observe(labels: Labels<L>, seconds: number): void;
}

/** What a gauge reads now, with the labels that it is told apart by. */
export type Reading<L extends string> = readonly [labels: Labels<L>, value: number];
type Readings<L extends string> = Iterable<Reading<L>> | undefined;

/** How something stands. It is set as it changes, or asked for at each scrape. */
export interface GaugeMetric<L extends string> {
  set(labels: Labels<L>, value: number): void;
  add(labels: Labels<L>, delta: number): void;
  /** Asked at each scrape until the answer is called; what it names no more is not shown any more. It should cost next to nothing. */
  read(source: () => Readings<L> | Promise<Readings<L>>): () => void;
}

const families: MetricFamily[] = [];

// From half a millisecond, which is what the gate may take, to what only something broken takes.
const SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** Every metric of ours that has been declared so far, by name. */
export function metricFamilies(): readonly MetricFamily[] {
  return families.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Declares a counter. */
export function counter<const L extends string = never>(
  options: MetricOptions<L, `gatehouse_${string}_total`>,
): CounterMetric<L> {
  const { config, full } = declare('counter', options);
  const metric = new Counter(config);
  // One that is not there yet cannot be told from one that was lost.
  if (options.labels === undefined) metric.inc(full({} as Labels<L>), 0);
  return { inc: (labels, by = 1) => metric.inc(full(labels), by) };
}

/** Declares a histogram of durations. */
export function histogram<const L extends string = never>(
  options: MetricOptions<L, `gatehouse_${string}_seconds`>,
): HistogramMetric<L> {
  const { config, full } = declare('histogram', options);
  const metric = new Histogram({ ...config, buckets: SECONDS });
  return { observe: (labels, seconds) => metric.observe(full(labels), seconds) };
}

/** Declares a gauge. */
export function gauge<const L extends string = never>(
  options: MetricOptions<L, `gatehouse_${string}`>,
): GaugeMetric<L> {
  const { config, full } = declare('gauge', options);
  const sources = new Set<Parameters<GaugeMetric<L>['read']>[0]>();
  let shown: Record<string, string>[] = [];
  const metric: Gauge = new Gauge({
    ...config,
    async collect() {
      const read = await Promise.all([...sources].map(readingsOf));
      for (const labels of shown) this.remove(labels);
      shown = read.flat().map(([labels, value]) => {
        const all = full(labels);
        this.set(all, value);
        return all;
      });
    },
  });
  return {
    set: (labels, value) => metric.set(full(labels), value),
    add: (labels, delta) => metric.inc(full(labels), delta),
    read(source) {
      sources.add(source);
      return () => void sources.delete(source);
    },
  };
}

function declare<L extends string>(
  type: MetricFamily['type'],
  { name, help, labels = [], service }: MetricOptions<L, string>,
) {
  const shown = [...new Set<string>(['service', ...labels])];
  families.push({ name, type, help, labels: shown });
  const labelNames: string[] = service === undefined ? [...labels] : shown;
  return {
    config: { name, help, labelNames, registers: [registry] },
    full: (of: Labels<L>): Record<string, string> =>
      service === undefined ? of : { ...of, service },
  };
}

/** One reading that fails leaves a hole, and does not take the others along. */
async function readingsOf<L extends string>(
  source: () => Readings<L> | Promise<Readings<L>>,
): Promise<Reading<L>[]> {
  try {
    return [...((await source()) ?? [])];
  } catch {
    return [];
  }
}
