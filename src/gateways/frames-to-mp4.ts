import { writeInitSegment } from '../containers/mod.ts';
import { ticksToMs } from '../core/mod.ts';
import { type Frame, shifted, type Track } from '../media/mod.ts';
import { PendingPart } from './hls-part.ts';

/** Makes one fragmented MP4 file of frames of the hub, with times from 0 on. Its bytes are the header and the fragments in order, and any beginning of them can be played. */
export class FramesToMp4 {
  /** What the file begins with. */
  readonly header: Uint8Array;
  private startMs: number | undefined;
  private endMs = 0;

  /** `tracks`: those of the segments that the frames are of. `note`: what the file says of itself. */
  constructor(tracks: readonly Track[], note?: Uint8Array) {
    this.header = writeInitSegment(tracks, note);
  }

  /** From the first frame to the end of the last one. */
  get durationMs(): number {
    return Math.round(this.endMs);
  }

  /** The bytes of one fragment, newly made. `frames` begin with one of the lead track; `next` is the lead frame behind them, where it goes on without a break. */
  fragment(frames: readonly Frame[], next: Frame | undefined): Uint8Array {
    this.startMs ??= Math.floor(Math.min(...frames.map(msOf)));
    const shiftMs = -this.startMs;
    const [first, ...others] = frames.map((frame) => shifted(frame, shiftMs));
    if (first === undefined) return new Uint8Array();
    const part = new PendingPart(first);
    for (const frame of [first, ...others]) part.add(frame);
    const { bytes, leadTicks, leadTimescale } = part.finish(next === undefined ? undefined : shifted(next, shiftMs));
    this.endMs = Math.max(this.endMs, msOf(first) + ticksToMs(leadTicks, leadTimescale), ...others.map(msOf));
    return bytes;
  }
}

const msOf = ({ dts, track }: Frame): number => ticksToMs(dts, track.timescale);
