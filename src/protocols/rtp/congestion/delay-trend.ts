const WINDOW = 20;
const SMOOTHING = 0.9;
const GAIN = 4;
const GROUPS_FULL_CONFIDENCE = 60;

/**
 * The arrival-time filter (draft-ietf-rmcat-gcc-02 §5.3) as the trendline that replaced the draft's Kalman filter in libwebrtc: the slope, by
 * least squares, of the smoothed queueing delay over the last 20 groups.
 */
export class DelayTrend {
  /** m(i) on the scale of the detector's thresholds (milliseconds): the slope times a confidence that grows with the groups seen. */
  offsetMs = 0;
  // Arrival times in the first half, smoothed delays in the second.
  private readonly points: number[] = Array.from({ length: 2 * WINDOW }, () => 0);
  private groups = 0;
  private firstArrivalMs = 0;
  private accumulatedMs = 0;
  private smoothedMs = 0;

  /** Takes the differences between two neighbouring groups, and when the later one arrived. */
  add(sentDeltaMs: number, arrivalDeltaMs: number, arrivalMs: number): void {
    if (this.groups === 0) this.firstArrivalMs = arrivalMs;
    this.accumulatedMs += arrivalDeltaMs - sentDeltaMs;
    this.smoothedMs = SMOOTHING * this.smoothedMs + (1 - SMOOTHING) * this.accumulatedMs;
    const index = this.groups % WINDOW;
    this.points[index] = arrivalMs - this.firstArrivalMs;
    this.points[WINDOW + index] = this.smoothedMs;
    this.groups++;
    if (this.groups < WINDOW) return;
    this.offsetMs = Math.min(this.groups, GROUPS_FULL_CONFIDENCE) * this.slope() * GAIN;
  }

  reset(): void {
    this.offsetMs = 0;
    this.groups = 0;
    this.accumulatedMs = 0;
    this.smoothedMs = 0;
  }

  private slope(): number {
    let sumX = 0;
    let sumY = 0;
    for (let index = 0; index < WINDOW; index++) {
      sumX += this.points[index]!;
      sumY += this.points[WINDOW + index]!;
    }
    const meanX = sumX / WINDOW;
    const meanY = sumY / WINDOW;
    let numerator = 0;
    let denominator = 0;
    for (let index = 0; index < WINDOW; index++) {
      const x = this.points[index]! - meanX;
      numerator += x * (this.points[WINDOW + index]! - meanY);
      denominator += x * x;
    }
    return denominator > 0 ? numerator / denominator : 0;
  }
}
