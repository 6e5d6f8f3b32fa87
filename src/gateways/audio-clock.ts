import { ticksToMs } from '../core/mod.ts';

/** When {@link AudioClock} leaves its own count of samples and goes back to the source's timestamps. */
export interface AudioClockLimits {
  /** A timestamp this close to the count is rounding or jitter. */
  readonly driftMsMax: number;
  /** So many frames in a row further off than `driftMsMax`, all to the same side, are a real shift and not jitter. */
  readonly driftFramesMax: number;
  /** A timestamp further off than this is a jump, taken at once. */
  readonly jumpMs: number;
}

/**
 * 25 ms is above the rounding to milliseconds and above one AAC frame (23.2 ms at 44.1 kHz), which is how far encoders misplace frames,
 * and below the 45 ms of sound ahead of picture that viewers notice (ITU-R BT.1359-1). Encoders that stamp several frames alike are off for a
 * few frames and come back, so only a shift of 12 frames (a quarter second of AAC) counts.
 */
export const audioClockLimitsDefault: AudioClockLimits = { driftMsMax: 25, driftFramesMax: 12, jumpMs: 200 };

/**
 * Gives audio frames times without gaps or overlaps: FLV and RTMP round to milliseconds, while frames last e.g. 21.33 ms.
 * It counts samples from the first timestamp and follows the timestamps only when they really leave the count.
 */
export class AudioClock {
  private readonly timescale: number;
  private readonly limits: AudioClockLimits;
  /** Where the next frame begins if nothing is missing, in ticks. */
  private expected: number | undefined = undefined;
  /** Frames in a row off to one side: negative for frames that come too early. */
  private offFrames = 0;

  constructor(timescale: number, limits: AudioClockLimits) {
    this.timescale = timescale;
    this.limits = limits;
  }

  /**
   * The decoding time, in ticks, of a frame of `durationTicks` that the source stamped with `timestampMs`; undefined for a frame to leave out,
   * because the source sent more sound than time has passed.
   */
  place(timestampMs: number, durationTicks: number): number | undefined {
    const stamped = Math.round((timestampMs * this.timescale) / 1000);
    const expected = this.expected ?? stamped;
    const offMs = ticksToMs(stamped - expected, this.timescale);
    const isJump = Math.abs(offMs) > this.limits.jumpMs;
    if (!isJump && !this.hasShifted(offMs)) return this.take(expected, durationTicks);
    this.offFrames = 0;
    // A small shift back would make frames overlap: one frame less brings the count back to the timestamps.
    return !isJump && offMs < 0 ? undefined : this.take(stamped, durationTicks);
  }

  /** The sequence is over; the next frame starts a new count. */
  reset(): void {
    this.expected = undefined;
    this.offFrames = 0;
  }

  private take(at: number, durationTicks: number): number {
    this.expected = at + durationTicks;
    return at;
  }

  private hasShifted(offMs: number): boolean {
    if (Math.abs(offMs) <= this.limits.driftMsMax) this.offFrames = 0;
    else if (offMs > 0) this.offFrames = Math.max(this.offFrames, 0) + 1;
    else this.offFrames = Math.min(this.offFrames, 0) - 1;
    return Math.abs(this.offFrames) >= this.limits.driftFramesMax;
  }
}
