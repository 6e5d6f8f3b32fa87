import { type WallMs, wallMs } from '../../../core/mod.ts';

/** The least difference of so long, and of as long before it, counts: clocks drift apart by less than a few ms in that time. */
const WINDOW_MS = 30_000;
/** No report is under way for so long: the peer's clock was set back. */
const STEP_MS = 2_000;

/**
 * A peer's wall clock against ours, by the reports that it sends (RFC 3550 section 6.4.1): of all reports the one that was under way for the shortest
 * time says most. What is left in the difference is that time, half of the round trip where both ways are alike.
 */
export class PeerClock {
  private beganAt: number = Number.NaN;
  private previousMs: number = Number.POSITIVE_INFINITY;
  private currentMs: number = Number.POSITIVE_INFINITY;

  /** A report that says `peerMs` (NaN: the sender has no wall clock) came at `wall`. */
  reported(peerMs: WallMs, wall: WallMs): void {
    if (Number.isNaN(peerMs)) return;
    const differenceMs = wall - peerMs;
    if (differenceMs - Math.min(this.currentMs, this.previousMs) > STEP_MS) this.begin(Number.POSITIVE_INFINITY, wall);
    // Our own clock may have been set back, too.
    else if (!(Math.abs(wall - this.beganAt) < WINDOW_MS)) this.begin(this.currentMs, wall);
    this.currentMs = Math.min(this.currentMs, differenceMs);
  }

  /** A moment of the peer's clock on ours; undefined before a report. */
  toOurs(peerMs: WallMs): WallMs | undefined {
    const differenceMs = Math.min(this.currentMs, this.previousMs);
    return Number.isFinite(differenceMs) ? wallMs(peerMs + differenceMs) : undefined;
  }

  private begin(previousMs: number, wall: WallMs): void {
    this.previousMs = previousMs;
    this.currentMs = Number.POSITIVE_INFINITY;
    this.beganAt = wall;
  }
}
