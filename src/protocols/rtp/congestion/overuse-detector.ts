/** What the delay says about the bottleneck's queue (draft-ietf-rmcat-gcc-02 §5.4): it grows, drains, or neither. */
export type BandwidthUsage = 'normal' | 'overuse' | 'underuse';

// §5.6 recommends these for the Kalman filter; the gains are libwebrtc's for the trendline.
const THRESHOLD_START_MS = 12.5;
const THRESHOLD_MIN_MS = 6;
const THRESHOLD_MAX_MS = 600;
const OVERUSE_TIME_MS = 10;
const GAIN_UP = 0.0087;
const GAIN_DOWN = 0.039;
// §5.4: an offset this far out is a spike (a route change, a stall), which must not blunt the detector.
const SPIKE_MS = 15;
const ADAPT_STEP_MS_MAX = 100;

/** Overuse detector with the adaptive threshold of draft-ietf-rmcat-gcc-02 §5.4, which keeps the flow from starving beside loss-based ones. */
export class OveruseDetector {
  usage: BandwidthUsage = 'normal';
  private thresholdMs = THRESHOLD_START_MS;
  private overuseMs = -1;
  private overuses = 0;
  private previousOffsetMs = 0;
  private updatedMs = Number.NaN;

  /** Takes the filter's offset m(i), the time between the groups when sent, and the later group's arrival. */
  detect(offsetMs: number, sentDeltaMs: number, arrivalMs: number): BandwidthUsage {
    if (offsetMs > this.thresholdMs) {
      this.overuseMs = this.overuseMs < 0 ? sentDeltaMs / 2 : this.overuseMs + sentDeltaMs;
      this.overuses++;
      // §5.4: signalled after overuse_time_th, "however, if m(i) < m(i-1), over-use will not be signaled".
      if (this.overuseMs > OVERUSE_TIME_MS && this.overuses > 1 && offsetMs >= this.previousOffsetMs) {
        this.overuseMs = 0;
        this.overuses = 0;
        this.usage = 'overuse';
      }
    } else {
      this.overuseMs = -1;
      this.overuses = 0;
      this.usage = offsetMs < -this.thresholdMs ? 'underuse' : 'normal';
    }
    this.previousOffsetMs = offsetMs;
    this.adapt(Math.abs(offsetMs), arrivalMs);
    return this.usage;
  }

  reset(): void {
    this.usage = 'normal';
    this.overuseMs = -1;
    this.overuses = 0;
    this.previousOffsetMs = 0;
    this.updatedMs = Number.NaN;
  }

  // del_var_th(i) = del_var_th(i-1) + (t(i) - t(i-1)) * K(i) * (|m(i)| - del_var_th(i-1))
  private adapt(magnitudeMs: number, arrivalMs: number): void {
    const elapsedMs = Number.isNaN(this.updatedMs) ? 0 : Math.min(ADAPT_STEP_MS_MAX, Math.max(0, arrivalMs - this.updatedMs));
    this.updatedMs = arrivalMs;
    if (magnitudeMs > this.thresholdMs + SPIKE_MS) return;
    const gain = magnitudeMs < this.thresholdMs ? GAIN_DOWN : GAIN_UP;
    const threshold = this.thresholdMs + gain * (magnitudeMs - this.thresholdMs) * elapsedMs;
    this.thresholdMs = Math.min(THRESHOLD_MAX_MS, Math.max(THRESHOLD_MIN_MS, threshold));
  }
}
