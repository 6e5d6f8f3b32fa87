/** How fast the mapping forgets a frame that came early, in ms for each second: more than two clocks drift apart. */
const DRIFT_MS_PER_SECOND = 0.2;
/** Frames this late are no longer the network's doing: the source has paused, or its clock was set back. */
const LATE_MS_MAX = 1_000;
/** So long all frames must be late before the mapping gives in. */
const LATE_FOR_MS = 2_000;

/**
 * Which media time is "now": the media clock follows the frames that came with the least delay, and drifts with the publisher's clock.
 * Sender reports of all tracks of a stream use the same mapping, so that receivers play them in step.
 */
export class MediaTimeMapping {
  private offsetMs: number | undefined = undefined;
  private observedAt = 0;
  /** The last time a frame was not late. */
  private punctualAt = 0;

  /** A frame of `mediaMs` on the timeline came at `receivedMs` of the monotonic clock. */
  observe(mediaMs: number, receivedMs: number): void {
    const sample = mediaMs - receivedMs;
    const forgottenMs = ((receivedMs - this.observedAt) * DRIFT_MS_PER_SECOND) / 1000;
    // A frame after a pause says nothing of those within it.
    const isPause = receivedMs - this.observedAt > LATE_FOR_MS;
    this.observedAt = receivedMs;
    if (isPause || this.offsetMs === undefined || sample >= this.offsetMs - LATE_MS_MAX) this.punctualAt = receivedMs;
    const isLate = receivedMs - this.punctualAt >= LATE_FOR_MS;
    this.offsetMs = this.offsetMs === undefined || isLate ? sample : Math.max(sample, this.offsetMs - Math.max(0, forgottenMs));
  }

  /** Undefined before the first frame. */
  mediaMsAt(nowMs: number): number | undefined {
    return this.offsetMs === undefined ? undefined : nowMs + this.offsetMs;
  }
}
