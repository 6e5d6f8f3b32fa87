import type { MonotonicMs } from '../core/mod.ts';

/** So many crashes within so much media, and the stream is not transcoded any more. */
const CRASHES_MAX = 5;
const CRASHES_WITHIN_MEDIA_MS = 60_000;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 10_000;
/** A child that ran so long was well: the next crash is a first one again. */
const HEALTHY_MS = 60_000;

/** The crashes of a stream's children under one configuration of the source. */
export class CrashHistory {
  /** Where in the media they were. */
  private crashes: number[] = [];
  private inARow = 0;

  clear(): void {
    this.crashes = [];
    this.inARow = 0;
  }

  get crashesInARow(): number {
    return this.inARow;
  }

  /** `mediaMs`: how far the source had come. Returns how long to wait before the next start, or undefined when it is enough. */
  crashed(mediaMs: number, startedAt: MonotonicMs, now: MonotonicMs): number | undefined {
    this.crashes = [...this.crashes.filter((at) => mediaMs - at < CRASHES_WITHIN_MEDIA_MS), mediaMs];
    if (this.crashes.length >= CRASHES_MAX) return undefined;
    this.inARow = now - startedAt >= HEALTHY_MS ? 1 : this.inARow + 1;
    return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(this.inARow - 1, 16));
  }

  /** For the operator: what was enough. */
  get summary(): string {
    return `${this.crashes.length} failures within ${CRASHES_WITHIN_MEDIA_MS / 1000} s of media`;
  }
}
