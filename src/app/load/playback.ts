const STALL_MS = 1000;
const GAP_TOLERANCE = 1.8;
const INTERVAL_FRAMES = 30;

/**
 * Follows what a player with a buffer of one second would notice of a push stream: it stalls when media falls more than that
 * behind the wall clock, and it misses frames where the timestamps leave a gap.
 */
export class Playback {
  stalls = 0;
  lostFrames = 0;
  private baseAtMs = 0;
  private baseTimestamp = 0;
  private lastTimestamp = -1;
  private intervalMs = Number.POSITIVE_INFINITY;
  private frames = 0;
  private isStalled = false;

  /** A video frame with its decoding timestamp in ms arrived. */
  frame(timestamp: number, nowMs: number): void {
    if (this.lastTimestamp < 0) {
      this.baseAtMs = nowMs;
      this.baseTimestamp = timestamp;
    } else {
      this.countGap(timestamp - this.lastTimestamp);
    }
    this.lastTimestamp = timestamp;
    this.frames++;
    const behindMs = nowMs - this.baseAtMs - (timestamp - this.baseTimestamp);
    if (behindMs > STALL_MS && !this.isStalled) this.stalls++;
    if (behindMs > STALL_MS || this.isStalled) {
      // The player waits and goes on from here.
      this.baseAtMs = nowMs;
      this.baseTimestamp = timestamp;
    }
    this.isStalled = false;
  }

  /** To be called about every second: notices a stream that has gone silent. */
  tick(nowMs: number): void {
    if (this.lastTimestamp < 0 || this.isStalled) return;
    if (nowMs - this.baseAtMs - (this.lastTimestamp - this.baseTimestamp) <= STALL_MS) return;
    this.isStalled = true;
    this.stalls++;
  }

  private countGap(gapMs: number): void {
    if (gapMs > 0 && this.frames < INTERVAL_FRAMES) this.intervalMs = Math.min(this.intervalMs, gapMs);
    if (gapMs > this.intervalMs * GAP_TOLERANCE) this.lostFrames += Math.round(gapMs / this.intervalMs) - 1;
  }
}
