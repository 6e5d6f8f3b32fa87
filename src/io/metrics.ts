import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** One number of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric read when it is scraped, so that the media path counts in plain numbers and knows nothing of Prometheus. */
export interface MetricSource {
  /** Begins with `sluice_`, base units; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels?: readonly string[];
  read(): Iterable<Sample>;
}

/** The process's metrics in Prometheus text. */
export class Metrics {
  private readonly registry = new Registry();

  constructor(sources: readonly MetricSource[]) {
    // Process CPU, memory, event loop lag, garbage collection, with the names that Node dashboards know.
    collectDefaultMetrics({ register: this.registry });
    for (const source of sources) this.add(source);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private add(source: MetricSource): void {
    const { name, help, labels = [] } = source;
    const common = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (source.kind === 'gauge') {
      new Gauge({
        ...common,
        collect() {
          this.reset();
          for (const sample of source.read()) this.set({ ...sample.labels }, sample.value);
        },
      });
    } else {
      new Counter({
        ...common,
        // Set anew from the source's running total.
        collect() {
          this.reset();
          for (const sample of source.read()) this.inc({ ...sample.labels }, sample.value);
        },
      });
    }
  }
}
