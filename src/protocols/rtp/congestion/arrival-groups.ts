// draft-ietf-rmcat-gcc-02 §5.2: "packets … sent within a burst_time interval constitute a group"; recommended 5 ms (§5.6).
const BURST_US = 5000;
// Packets that a stalled link delivers together are one group however long the stall was, up to this.
const BURST_DURATION_US_MAX = 100_000;
const REORDERED_GROUPS_MAX = 3;

/** Pre-filtering of the arrival-time model (draft-ietf-rmcat-gcc-02 §5.1, §5.2): packets → groups → differences between neighbouring groups. */
export class ArrivalGroups {
  /** Milliseconds between the last packets sent of the two newest complete groups. */
  sentDeltaMs = 0;
  /** Milliseconds between the arrivals of the last packets of the same two groups. */
  arrivalDeltaMs = 0;
  /** When the newest complete group had arrived, in the receiver's microseconds. */
  arrivalUs = 0;
  private firstSentUs = Number.NaN;
  private lastSentUs = 0;
  private firstArrivalUs = 0;
  private lastArrivalUs = 0;
  private earlierSentUs = Number.NaN;
  private earlierArrivalUs = 0;
  private reordered = 0;

  /** Takes a packet that arrived. True when it completed a group, so that the deltas are new. */
  add(sentUs: number, arrivalUs: number): boolean {
    if (Number.isNaN(this.firstSentUs)) {
      this.start(sentUs, arrivalUs);
      return false;
    }
    // Sent before this group began: reordered on the way, it says nothing about the queue.
    if (sentUs < this.firstSentUs) return false;
    if (this.belongs(sentUs, arrivalUs)) {
      this.lastSentUs = Math.max(this.lastSentUs, sentUs);
      this.lastArrivalUs = Math.max(this.lastArrivalUs, arrivalUs);
      return false;
    }
    const isMeasured = this.measure();
    if (!Number.isNaN(this.firstSentUs)) {
      this.earlierSentUs = this.lastSentUs;
      this.earlierArrivalUs = this.lastArrivalUs;
    }
    this.start(sentUs, arrivalUs);
    return isMeasured;
  }

  reset(): void {
    this.firstSentUs = Number.NaN;
    this.earlierSentUs = Number.NaN;
    this.reordered = 0;
  }

  private start(sentUs: number, arrivalUs: number): void {
    this.firstSentUs = sentUs;
    this.lastSentUs = sentUs;
    this.firstArrivalUs = arrivalUs;
    this.lastArrivalUs = arrivalUs;
  }

  private belongs(sentUs: number, arrivalUs: number): boolean {
    if (sentUs - this.firstSentUs <= BURST_US) return true;
    // §5.2: with an inter-arrival time below burst_time and a negative delay variation it is "part of the current group".
    const arrivalGapUs = arrivalUs - this.lastArrivalUs;
    const variationUs = arrivalGapUs - (sentUs - this.lastSentUs);
    return variationUs < 0 && arrivalGapUs <= BURST_US && arrivalUs - this.firstArrivalUs < BURST_DURATION_US_MAX;
  }

  private measure(): boolean {
    if (Number.isNaN(this.earlierSentUs)) return false;
    const arrivalDeltaMs = (this.lastArrivalUs - this.earlierArrivalUs) / 1000;
    if (arrivalDeltaMs < 0) {
      // Whole groups that overtake each other again and again mean that the receiver's clock was set back.
      if (++this.reordered >= REORDERED_GROUPS_MAX) this.reset();
      return false;
    }
    this.reordered = 0;
    this.sentDeltaMs = (this.lastSentUs - this.earlierSentUs) / 1000;
    this.arrivalDeltaMs = arrivalDeltaMs;
    this.arrivalUs = this.lastArrivalUs;
    return true;
  }
}
