const SAMPLES = 512;

/** The last 512 latencies; adding one costs a store. */
export class LatencyRing {
  private readonly samples: Float64Array = new Float64Array(SAMPLES);
  private count = 0;

  add(ms: number): void {
    this.samples[this.count % SAMPLES] = ms;
    this.count++;
  }

  /** The value below which `share` (0 to 1) of the samples lie; 0 without samples. */
  quantile(share: number): number {
    const length = Math.min(this.count, SAMPLES);
    if (length === 0) return 0;
    const sorted = this.samples.slice(0, length).sort();
    return sorted[Math.min(length - 1, Math.floor(share * length))] ?? 0;
  }
}
