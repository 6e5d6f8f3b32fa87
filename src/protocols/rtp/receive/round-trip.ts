import type { MonotonicMs } from '../../../core/mod.ts';

/** Before anything was measured. */
const ROUND_TRIP_MS_DEFAULT = 100;
const ROUND_TRIP_MS_MAX = 1_000;
const SAMPLE_WEIGHT = 1 / 4;
const BOUND_WEIGHT = 1 / 8;
/** Without an answer to an only try for so long, upper bounds are believed. */
const SILENCE_MS_MAX = 2_000;

/** A smoothed round-trip time. A receiver that sends no media learns it from retransmissions: asked for at one time, there at another. */
export class RoundTrip {
  private smoothedMs: number | undefined = undefined;

  private sampledAt: MonotonicMs | undefined = undefined;

  /** In ms; 100 before the first measurement. */
  get ms(): number {
    return this.smoothedMs ?? ROUND_TRIP_MS_DEFAULT;
  }

  /** A measured round trip: an answer to the only try. */
  sample(ms: number, now: MonotonicMs): void {
    this.sampledAt = now;
    this.blend(ms, SAMPLE_WEIGHT);
  }

  /**
   * An answer after several tries, `ms` after the first: an upper bound. Where no other answers come for long, the tries follow each other
   * too fast, so it is taken as a hint until they no longer do (compare Karn's algorithm, RFC 6298 section 3).
   */
  upperBound(ms: number, now: MonotonicMs): void {
    this.sampledAt ??= now;
    if (now - this.sampledAt > SILENCE_MS_MAX && ms > this.ms) this.blend(ms, BOUND_WEIGHT);
  }

  private blend(ms: number, weight: number): void {
    const bounded = Math.min(ROUND_TRIP_MS_MAX, Math.max(0, ms));
    this.smoothedMs = this.smoothedMs === undefined ? bounded : this.smoothedMs + weight * (bounded - this.smoothedMs);
  }
}
