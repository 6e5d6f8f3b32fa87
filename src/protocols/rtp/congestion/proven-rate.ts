const SLOT_MS = 10_000;

/** The highest rate that really arrived in the last 10 to 20 seconds: what an estimate is worth that the stream alone does not fill. */
export class ProvenRate {
  private currentBps = 0;
  private previousBps = 0;
  private slot = Number.NEGATIVE_INFINITY;

  add(bps: number, now: number): void {
    this.advance(now);
    if (bps > this.currentBps) this.currentBps = bps;
  }

  bps(now: number): number {
    this.advance(now);
    return Math.max(this.currentBps, this.previousBps);
  }

  /** The link got slower: what it carried before proves nothing any more. */
  cut(bps: number): void {
    this.currentBps = Math.min(this.currentBps, bps);
    this.previousBps = Math.min(this.previousBps, bps);
  }

  private advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.slot) return;
    this.previousBps = slot === this.slot + 1 ? this.currentBps : 0;
    this.currentBps = 0;
    this.slot = slot;
  }
}
