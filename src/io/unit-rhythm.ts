/** Units that are read at once belong together. */
const TOGETHER_MS = 2;
/** How much of the mean a new gap is. */
const WEIGHT = 1 / 8;
/** Gaps differ, those of sound and picture together above all: sooner than after this share of the mean nothing is expected. */
const EARLY_SHARE = 0.6;

/** Learns how far apart a stream's units come, to tell whether it is worth waiting for the next one. */
export class UnitRhythm {
  private lastMs = Number.NEGATIVE_INFINITY;
  private gapMs = 0;

  /** A unit has come. */
  note(now: number): void {
    const gapMs = now - this.lastMs;
    if (gapMs < TOGETHER_MS) return;
    this.lastMs = now;
    if (gapMs < 1000) this.gapMs += (gapMs - this.gapMs) * WEIGHT;
  }

  /** Whether another unit is expected within `waitMs` of the last. */
  expectsWithin(waitMs: number): boolean {
    return this.gapMs * EARLY_SHARE < waitMs;
  }
}
