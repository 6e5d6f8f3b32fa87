import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { HistogramValue } from './latency-histogram.ts';
import { labelText, MetricsText } from './metrics-text.ts';
import { openFiles } from './open-files.ts';

const TEXT: unique symbol = Symbol('text');

/** Values by the names of labels, which may bring their text. */
type Labels = Readonly<Record<string, string>> & { readonly [TEXT]?: string };

/** Labels that many samples share: their text is written once. */
export const sharedLabels = (labels: Readonly<Record<string, string>>): Labels => ({ ...labels, [TEXT]: labelText(labels) });

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

/** Goes through many things before the metrics of a scrape are read, a few at each step, so that frames do not wait for all of them. */
export type Survey = () => Iterable<unknown>;

/** So long a scrape is at work before the event loop gets a turn: a frame may wait for it. */
const TURN_MS = 2;
/**
 * Gauges that are named like counters, each of which is there once more under a better name; what `nodejs_active_resources` says too, at the cost of
 * another look at every connection; and what is read in a cheaper way here.
 */
const LEFT_OUT = [
  ...['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'],
  ...['nodejs_active_handles', 'nodejs_active_requests'],
  'process_open_fds',
];
const OPEN_FILES: MetricSource = {
  name: 'process_open_fds',
  kind: 'gauge',
  help: 'Number of open file descriptors.',
  read: () => {
    const value = openFiles();
    return value === undefined ? [] : [{ value }];
  },
};

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
  private underWay: Promise<Buffer> | undefined;
  private sizeBytes = 0;

  /** Throws when two sources have one name. */
  constructor(sources: readonly MetricSource[], surveys: readonly Survey[] = []) {
    const names = new Set<string>();
    for (const { name } of sources) {
      if (names.has(name)) throw new Error(`two metrics are named ${name}`);
      names.add(name);
    }
    this.sources = [...sources, OPEN_FILES];
    this.surveys = surveys;
    // Process CPU, memory, event loop lag, garbage collection, with the names that Node dashboards know.
    collectDefaultMetrics({ register: this.registry });
    for (const name of LEFT_OUT) this.registry.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** In UTF-8. Whoever asks while a scrape is under way gets that one. */
  text(): Promise<Buffer> {
    this.underWay ??= this.scrape().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  /** All is read and written in short turns: frames do not wait for thousands of series. */
  private async scrape(): Promise<Buffer> {
    const pace = new Pace();
    const text = new MetricsText(this.sizeBytes);
    scrapesUnderWay++;
    try {
      for (const survey of this.surveys) for (const _ of survey()) if (pace.isOver) await pace.pause();
      for (const source of this.sources) {
        for (const _ of write(source, text)) if (pace.isOver) await pace.pause();
      }
      for (const { name } of this.registry.getMetricsAsArray()) {
        text.add(`${await this.registry.getSingleMetricAsString(name)}\n`);
        if (pace.isOver) await pace.pause();
      }
      const bytes = text.end();
      this.sizeBytes = bytes.length;
      return bytes;
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

/** A step of many lines each time. */
function* write(source: MetricSource, text: MetricsText): Iterable<void> {
  const { name, help, kind } = source;
  text.head(name, kind, help);
  if (source.kind === 'histogram') for (const { labels, value } of source.read()) yield text.histogram(name, textOf(labels), value);
  else {
    for (const { labels, value } of source.read()) {
      text.sample(name, textOf(labels), value);
      if (text.isWritten) yield;
    }
  }
  yield;
}

const textOf = (labels: Labels | undefined): string => (labels === undefined ? '' : (labels[TEXT] ?? labelText(labels)));
