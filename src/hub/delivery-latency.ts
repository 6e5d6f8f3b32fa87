const SAMPLES_MAX = 256;

/** Half of the frames, and nineteen of twenty, took so long or less. */
export interface LatencyQuantiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** How long the last 256 deliveries of a stream took; adding one costs a store. */
export class DeliveryLatency {
  private readonly samples: Float64Array = new Float64Array(SAMPLES_MAX);
  private count = 0;

  add(ms: number): void {
    this.samples[this.count % SAMPLES_MAX] = ms;
    this.count++;
  }

  /** Undefined before the first. */
  quantiles(): LatencyQuantiles | undefined {
    const length = Math.min(this.count, SAMPLES_MAX);
    if (length === 0) return undefined;
    const sorted = this.samples.slice(0, length).sort();
    const at = (share: number): number => Math.round((sorted[Math.floor(share * (length - 1))] ?? 0) * 10) / 10;
    return { p50Ms: at(0.5), p95Ms: at(0.95) };
  }
}
