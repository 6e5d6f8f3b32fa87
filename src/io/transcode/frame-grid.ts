/** So much of an interval a picture may come early: source clocks are rounded. */
const EARLY_SHARE = 0.25;

/** Limits a frame rate by leaving pictures out so that the rest are as evenly spaced as the source allows. Keyframes always stay. */
export class FrameGrid {
  private readonly interval: number;
  private due = Number.NEGATIVE_INFINITY;

  /** `interval`: ticks between pictures, 0 for no limit. */
  constructor(interval: number) {
    this.interval = interval;
  }

  takes(pts: number, isKeyframe: boolean): boolean {
    const { interval } = this;
    const isEarly = pts < this.due - interval * EARLY_SHARE;
    if (isEarly && !isKeyframe) return false;
    // Behind a gap, and behind a keyframe off the grid, a new grid begins.
    this.due = (isEarly || pts > this.due + interval ? pts : this.due) + interval;
    return true;
  }
}
