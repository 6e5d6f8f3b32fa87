import type { MonotonicMs } from '../core/mod.ts';

/** Of the frames of so long a time the one that came soonest counts. */
const WINDOW_MS = 5_000;

/**
 * How far the timestamps of a track run away from this machine's clock. A frame may come late, by what the network and the encoder take, but never before it
 * is made: in each window the one that is the furthest ahead is compared, so what happens to single frames is left out.
 */
export class ClockDrift {
  private track: number | undefined;
  private endMs = 0;
  /** By how much media time is ahead of the clock at most, in the present window. */
  private aheadMs = Number.NEGATIVE_INFINITY;
  private firstMs: number | undefined;
  private drift = 0;

  /** By how many ms timestamps have run ahead since the first window; negative: fallen behind. 0 until two windows are over. */
  get ms(): number {
    return this.drift;
  }

  /** Takes the time of a frame that came at `now`. Another track than before begins anew. */
  observe(track: number, mediaMs: number, now: MonotonicMs): void {
    if (track !== this.track) this.restart();
    if (this.track === undefined) this.endMs = now + WINDOW_MS;
    this.track = track;
    if (now >= this.endMs) this.closeWindow(now);
    this.aheadMs = Math.max(this.aheadMs, mediaMs - now);
  }

  /** What comes next goes by another clock. */
  restart(): void {
    this.track = undefined;
    this.aheadMs = Number.NEGATIVE_INFINITY;
    this.firstMs = undefined;
    this.drift = 0;
  }

  private closeWindow(now: MonotonicMs): void {
    this.firstMs ??= this.aheadMs;
    this.drift = this.aheadMs - this.firstMs;
    this.aheadMs = Number.NEGATIVE_INFINITY;
    this.endMs = now + WINDOW_MS;
  }
}
