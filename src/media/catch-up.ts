import { type MediaTime, mediaTime } from '../core/mod.ts';
import type { Frame } from './frame.ts';
import type { Track } from './track.ts';

/** How many times faster than it was taken a group of pictures is shown once more, at most. */
const SPEED_MAX = 16;
/** So far apart are the frames at least, on average: of a coarse clock, closer ones would lose their order. */
const STEP_TICKS_MIN = 2;
const SPEED_MIN = 2;

/**
 * Times for pictures that came out before and come out once more: behind all that was shown, but many times closer together, so that those that follow soon have
 * their own times again. The stream falls behind by nothing, nothing goes back, and sound, which is not repeated, keeps in step.
 */
export class CatchUp {
  private readonly track: Track;
  private readonly from: number;
  private readonly to: number;
  private readonly speed: number;
  private lastDts = Number.NEGATIVE_INFINITY;

  /** `frames`, in their order, are pictures of one track from a keyframe on; at least one. */
  constructor(frames: readonly [Frame, ...Frame[]]) {
    this.track = frames[0].track;
    this.from = frames[0].dts;
    this.to = frames.reduce((latest, { dts, pts }) => Math.max(latest, dts, pts), 0) + 1;
    const stepTicks = ((frames.at(-1)?.dts ?? 0) - this.from) / frames.length;
    this.speed = Math.min(SPEED_MAX, Math.max(SPEED_MIN, stepTicks / STEP_TICKS_MIN));
  }

  /** To be asked for each frame of the track once, in their order, until {@link CatchUp.isOver}; dts only grows. */
  place(dts: number, pts: number): { readonly dts: MediaTime; readonly pts: MediaTime } {
    const placed = Math.max(this.at(dts), this.lastDts + 1);
    this.lastDts = placed;
    return { dts: mediaTime(placed), pts: mediaTime(Math.max(this.at(pts), placed)) };
  }

  /** Whether this is the track whose times it gives. */
  isOf(track: Track): boolean {
    return this.track.id === track.id && this.track.timescale === track.timescale;
  }

  /** Whether frames from `dts` on have their own times. */
  isOver(dts: number): boolean {
    return dts > this.lastDts && this.at(dts) <= dts;
  }

  private at(time: number): number {
    return Math.max(time, Math.round(this.to + (time - this.from) / this.speed));
  }
}
