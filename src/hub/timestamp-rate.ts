const FRAMES_MAX = 128;
const SPAN_MS_MIN = 500;
/** Beyond it, frames are missing in between. */
const GAP_MS_MAX = 10_000;

/** How many frames a second there are by their timestamps, whenever they came: a publisher may send its first ones all at once. */
export class TimestampRate {
  /** Of the last frames, in ms; a ring. */
  private readonly times: Float64Array = new Float64Array(FRAMES_MAX);
  private count = 0;

  add(ms: number): void {
    const last = this.times[(this.count - 1) % FRAMES_MAX] ?? 0;
    if (this.count > 0 && (ms <= last || ms - last > GAP_MS_MAX)) this.count = 0;
    this.times[this.count % FRAMES_MAX] = ms;
    this.count++;
  }

  /** What was before says nothing of what comes. */
  restart(): void {
    this.count = 0;
  }

  /** 0 until there are frames of half a second. */
  get perSecond(): number {
    const frames = Math.min(this.count, FRAMES_MAX);
    const newest = this.times[(this.count - 1) % FRAMES_MAX] ?? 0;
    const oldest = this.times[(this.count - frames) % FRAMES_MAX] ?? 0;
    const spanMs = newest - oldest;
    return frames < 2 || spanMs < SPAN_MS_MIN ? 0 : ((frames - 1) * 1000) / spanMs;
  }
}
