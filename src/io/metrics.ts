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

/** Goes through many things before the metrics of a scrape are read, one at each step, so that frames do not wait for all of them. */
export type Survey = () => Iterable<unknown>;

/** So long a scrape is at work before the event loop gets a turn: a frame may wait for it. */
const TURN_MS = 2;
/** Gauges that are named like counters, each of which is there once more under a better name; and what `nodejs_active_resources` says too, at the cost of another look at every connection. */
const LEFT_OUT = [
  ...['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'],
  ...['nodejs_active_handles', 'nodejs_active_requests'],
];

/** What forgets the things that were made for a scrape, when it is over. */
const forgetting = new Set<() => void>();
let scrapesUnderWay = 0;

/** What several metrics are read from, made once a scrape and forgotten after it; outside a scrape, after the turn in which it was made. */
export function oncePerScrape<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  const forget = (): void => {
    made = undefined;
  };
  return () => {
    if (made === undefined) {
      made = { value: make() };
      if (scrapesUnderWay > 0) forgetting.add(forget);
      else queueMicrotask(forget);
    }
    return made.value;
  };
}

/** The process's metrics in Prometheus text. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly sources: readonly MetricSource[];
  private readonly surveys: readonly Survey[];
  private underWay: Promise<string> | undefined;

  /** Throws when two sources have one name. */
  constructor(sources: readonly MetricSource[], surveys: readonly Survey[] = []) {
    const names = new Set<string>();
    for (const { name } of sources) {
      if (names.has(name)) throw new Error(`two metrics are named ${name}`);
      names.add(name);
    }
    this.sources = sources;
    this.surveys = surveys;
    // Process CPU, memory, event loop lag, garbage collection, with the names that Node dashboards know.
    collectDefaultMetrics({ register: this.registry });
    for (const name of LEFT_OUT) this.registry.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Whoever asks while a scrape is under way gets that one. */
  text(): Promise<string> {
    this.underWay ??= this.scrape().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  /** All is read and written in short turns: frames do not wait for thousands of series. */
  private async scrape(): Promise<string> {
    const pace = new Pace();
    const lines: string[] = [];
    scrapesUnderWay++;
    try {
      for (const survey of this.surveys) for (const _ of survey()) if (pace.isOver) await pace.pause();
      for (const source of this.sources) {
        for (const _ of write(source, lines)) if (pace.isOver) await pace.pause();
      }
      for (const { name } of this.registry.getMetricsAsArray()) {
        lines.push(await this.registry.getSingleMetricAsString(name));
        if (pace.isOver) await pace.pause();
      }
      return `${lines.join('\n')}\n`;
    } finally {
      if (--scrapesUnderWay === 0) {
        for (const forget of forgetting) forget();
        forgetting.clear();
      }
    }
  }
}

/** Turns of work with turns of the event loop between them. */
class Pace {
  private beganAt = performance.now();

  get isOver(): boolean {
    return performance.now() - this.beganAt > TURN_MS;
  }

  async pause(): Promise<void> {
    await setImmediate();
    this.beganAt = performance.now();
  }
}

/** The text format, https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. */
function* write(source: MetricSource, lines: string[]): Iterable<void> {
  const { name, help, kind } = source;
  lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${kind}`);
  if (source.kind === 'histogram') {
    for (const { labels, value } of source.read()) yield writeHistogram(name, labelText(labels), value, lines);
  } else for (const { labels, value } of source.read()) yield void lines.push(line(name, labelText(labels), value));
  yield;
}

function writeHistogram(name: string, labels: string, { counts, count, sumS }: HistogramValue, lines: string[]): void {
  const before = labels === '' ? '' : `${labels},`;
  for (const [at, bound] of LATENCY_BOUNDS_S.entries()) lines.push(line(`${name}_bucket`, `${before}le="${bound}"`, counts[at] ?? 0));
  lines.push(line(`${name}_bucket`, `${before}le="+Inf"`, count), line(`${name}_sum`, labels, sumS), line(`${name}_count`, labels, count));
}

const line = (name: string, labels: string, value: number): string => (labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`);

/** Of labels that several samples share. */
const labelTexts = new WeakMap<Labels, string>();

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  const known = labelTexts.get(labels);
  if (known !== undefined) return known;
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`;
  labelTexts.set(labels, text);
  return text;
}

const escaped = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
