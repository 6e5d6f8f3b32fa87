const SLOT_MS = 10_000;

/**
 * How long packets stand in the bottleneck's queue: the one-way delay of a feedback's fastest packet over the smallest of the last 10 to 20
 * seconds. The clocks' offset cancels out, and their drift is too small to matter in that time.
 */
export class QueueDelay {
  /** Milliseconds, by the newest feedback. */
  ms = 0;
  private baseUs = Number.POSITIVE_INFINITY;
  private previousBaseUs = Number.POSITIVE_INFINITY;
  private slot = Number.NEGATIVE_INFINITY;

  /** Takes the smallest one-way delay of a feedback, in microseconds between the two clocks. */
  add(delayUs: number, now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot > this.slot) {
      this.previousBaseUs = this.baseUs;
      this.baseUs = Number.POSITIVE_INFINITY;
      this.slot = slot;
    }
    this.baseUs = Math.min(this.baseUs, delayUs);
    this.ms = (delayUs - Math.min(this.baseUs, this.previousBaseUs)) / 1000;
  }

  reset(): void {
    this.ms = 0;
    this.baseUs = Number.POSITIVE_INFINITY;
    this.previousBaseUs = Number.POSITIVE_INFINITY;
  }
}
