import type { HlsSegment } from './hls-segment.ts';

/** How much of a stream is kept. */
export interface HlsWindowLimits {
  /** Complete segments in the playlist at most. */
  readonly segmentsMax: number;
  /** Bytes of all segments kept: first the ones that left the playlist go, then the playlist gets shorter. */
  readonly bytesMax: number;
}

/** 6.2.2 of the draft: a playlist must not get shorter than three target durations by removing a segment. */
export const WINDOW_SEGMENTS_MIN = 3;

/**
 * The complete segments: those in the playlist and, for viewers with an older playlist in their hands, as many that have left
 * it. What is in the playlist depends only on the newest segments, so that it is the same wherever it is made.
 */
export class HlsWindow {
  private readonly limits: HlsWindowLimits;
  private readonly kept: HlsSegment[] = [];
  private listedFrom = 0;

  constructor(limits: HlsWindowLimits) {
    this.limits = limits;
  }

  /** The segments in the playlist, oldest first. */
  get listed(): readonly HlsSegment[] {
    return this.kept.slice(this.listedFrom);
  }

  /** All that can be asked for, oldest first. */
  get all(): readonly HlsSegment[] {
    return this.kept;
  }

  get last(): HlsSegment | undefined {
    return this.kept.at(-1);
  }

  get sizeBytes(): number {
    return this.kept.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Adds a complete segment; returns the ones dropped for it. */
  push(segment: HlsSegment): HlsSegment[] {
    // What a playlist cannot go on from leaves it (and stays for who asks).
    const last = this.last;
    if (last !== undefined && !segment.goesOnFrom(last)) this.listedFrom = this.kept.length;
    this.kept.push(segment);
    this.shortenPlaylist();
    return this.dropOldest();
  }

  /** Puts complete segments before all others; returns the ones dropped for it. The window is the same as if they had been added first. */
  precede(older: readonly HlsSegment[]): HlsSegment[] {
    const own = this.kept.splice(0);
    this.listedFrom = 0;
    return [...older, ...own].flatMap((segment) => this.push(segment));
  }

  private shortenPlaylist(): void {
    let sizeBytes = 0;
    let from = this.kept.length;
    while (from > this.listedFrom) {
      const count = this.kept.length - from + 1;
      sizeBytes += this.kept[from - 1]?.sizeBytes ?? 0;
      if (count > this.limits.segmentsMax || (count > WINDOW_SEGMENTS_MIN && sizeBytes > this.limits.bytesMax)) break;
      from--;
    }
    this.listedFrom = from;
  }

  private dropOldest(): HlsSegment[] {
    let sizeBytes = this.sizeBytes;
    let count = 0;
    // One more than the playlist's length: 6.2.2 asks for the segment's own duration on top of the longest playlist's.
    while (this.listedFrom - count > this.limits.segmentsMax + 1 || (this.listedFrom > count && sizeBytes > this.limits.bytesMax)) {
      sizeBytes -= this.kept[count]?.sizeBytes ?? 0;
      count++;
    }
    this.listedFrom -= count;
    return this.kept.splice(0, count);
  }
}
