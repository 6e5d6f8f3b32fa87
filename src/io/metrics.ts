import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type HistogramValue, LATENCY_BOUNDS_S } from './latency-histogram.ts';

type Labels = Readonly<Record<string, string>>;

/** One number of a metric, with its labels. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** A histogram of a metric, with its labels. */
export interface HistogramSample {
  readonly labels?: Labels;
  readonly value: HistogramValue;
}

interface MetricHead {
  /** Begins with `sluice_`, base units; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  /** The names of the labels that every sample has. */
  readonly labels?: readonly string[];
}

/** A metric read when it is scraped, so that the media path counts in plain numbers and knows nothing of Prometheus. */
export type MetricSource = MetricHead &
  ({ readonly kind: 'counter' | 'gauge'; read(): Iterable<Sample> } | { readonly kind: 'histogram'; read(): Iterable<HistogramSample> });

/** So long is written before the event loop gets a turn: a frame may wait for it, and each turn may be as long as that of a busy server is. */
const WRITE_MS = 3;
/** Gauges that are named like counters, each of which is there once more under a better name; and what `nodejs_active_resources` says too, at the cost of another look at every connection. */
const LEFT_OUT = [
  ...['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'],
  ...['nodejs_active_handles', 'nodejs_active_requests'],
];

/**
 * What several metrics are read from, made once a scrape: a scrape reads all its metrics without a pause, and what was made is
 * forgotten right after it.
 */
export function oncePerScrape<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    if (made === undefined) {
      made = { value: make() };
      queueMicrotask(() => {
        made = undefined;
      });
    }
    return made.value;
  };
}

/** The process's metrics in Prometheus text. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly sources: readonly MetricSource[];

  /** Throws when two sources have one name. */
  constructor(sources: readonly MetricSource[]) {
    const names = new Set<string>();
    for (const { name } of sources) {
      if (names.has(name)) throw new Error(`two metrics are named ${name}`);
      names.add(name);
    }
    this.sources = sources;
    // Process CPU, memory, event loop lag, garbage collection, with the names that Node dashboards know.
    collectDefaultMetrics({ register: this.registry });
    for (const name of LEFT_OUT) this.registry.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All is read at once, and written with turns for the event loop in between: frames do not wait for the text of thousands of series. */
  async text(): Promise<string> {
    const all = this.sources.map(read);
    const lines: string[] = [];
    let beganAt = performance.now();
    for (const metric of all) {
      write(metric, lines);
      if (performance.now() - beganAt < WRITE_MS) continue;
      await setImmediate();
      beganAt = performance.now();
    }
    return `${await this.registry.metrics()}\n${lines.join('\n')}\n`;
  }
}

type Read = MetricHead &
  (
    | { readonly kind: 'counter' | 'gauge'; readonly samples: Sample[] }
    | { readonly kind: 'histogram'; readonly samples: HistogramSample[] }
  );

function read(source: MetricSource): Read {
  const { name, help } = source;
  return source.kind === 'histogram'
    ? { name, help, kind: source.kind, samples: [...source.read()] }
    : { name, help, kind: source.kind, samples: [...source.read()] };
}

/** The text format, https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. */
function write(metric: Read, lines: string[]): void {
  const { name, help, kind } = metric;
  lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${kind}`);
  if (metric.kind === 'histogram') for (const { labels, value } of metric.samples) writeHistogram(name, labelText(labels), value, lines);
  else for (const { labels, value } of metric.samples) lines.push(line(name, labelText(labels), value));
}

function writeHistogram(name: string, labels: string, { counts, count, sumS }: HistogramValue, lines: string[]): void {
  const before = labels === '' ? '' : `${labels},`;
  for (const [at, bound] of LATENCY_BOUNDS_S.entries()) lines.push(line(`${name}_bucket`, `${before}le="${bound}"`, counts[at] ?? 0));
  lines.push(line(`${name}_bucket`, `${before}le="+Inf"`, count), line(`${name}_sum`, labels, sumS), line(`${name}_count`, labels, count));
}

const line = (name: string, labels: string, value: number): string => (labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`);

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`;
  return text;
}

const escaped = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
