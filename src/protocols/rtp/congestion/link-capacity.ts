const WEIGHT = 0.05;
// Of the variance, in kbit/s, after dividing by the mean: bounds that keep three deviations meaningful from the first sample on.
const VARIANCE_START = 0.4;
const VARIANCE_MIN = 0.4;
const VARIANCE_MAX = 2.5;

/**
 * Mean and deviation of the throughput seen at overuse: whether the rate is "close to convergence" (draft-ietf-rmcat-gcc-02 §5.5: an average and
 * "three standard deviations" of it).
 */
export class LinkCapacity {
  private meanKbps = Number.NaN;
  private variance = VARIANCE_START;

  get isKnown(): boolean {
    return !Number.isNaN(this.meanKbps);
  }

  get bps(): number {
    return this.meanKbps * 1000;
  }

  /** Takes the throughput that the link gave when it was overused. */
  overused(throughputBps: number): void {
    const sampleKbps = throughputBps / 1000;
    if (this.isKnown && Math.abs(sampleKbps - this.meanKbps) > this.deviationKbps() * 3) this.forget();
    this.meanKbps = this.isKnown ? (1 - WEIGHT) * this.meanKbps + WEIGHT * sampleKbps : sampleKbps;
    const error = this.meanKbps - sampleKbps;
    const variance = (1 - WEIGHT) * this.variance + (WEIGHT * error * error) / Math.max(this.meanKbps, 1);
    this.variance = Math.min(VARIANCE_MAX, Math.max(VARIANCE_MIN, variance));
  }

  /** A throughput well above the mean: the link is another one now, so that what was learnt is forgotten. */
  reached(throughputBps: number): void {
    if (this.isKnown && throughputBps / 1000 > this.meanKbps + this.deviationKbps() * 3) this.forget();
  }

  private forget(): void {
    this.meanKbps = Number.NaN;
    this.variance = VARIANCE_START;
  }

  private deviationKbps(): number {
    return Math.sqrt(this.variance * Math.max(this.meanKbps, 1));
  }
}
