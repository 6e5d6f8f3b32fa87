/** Pictures of a source between a decoder's input and its output, at most: more than any decoder reorders. */
const PICTURES_MAX = 512;

/** The times of one frame of the source, in ticks. */
export interface SourceTimes {
  readonly dts: number;
  readonly pts: number;
  readonly isKeyframe: boolean;
  readonly captureMs: number | undefined;
}

/**
 * Gives decoded pictures the times under which they go on. The presentation time is that of the source's frame. The decoding times of the
 * source are dealt out again in the order of presentation, since what goes on has no B-frames: so both never go back, no picture is decoded after
 * it is shown, and a keyframe has both times of the source's keyframe.
 */
export class PictureTimes {
  private readonly byPts = new Map<number, SourceTimes>();
  /** Decoding times not dealt out yet, ascending. */
  private decodingTimes: number[] = [];
  /** Keyframes that are not shown yet. */
  private keyframes: SourceTimes[] = [];
  private lastDts = Number.NEGATIVE_INFINITY;
  private lastPts = Number.NEGATIVE_INFINITY;

  /** A frame went to the decoder. */
  sent(times: SourceTimes): void {
    if (this.byPts.size >= PICTURES_MAX) this.forget(this.byPts.keys().next().value ?? 0);
    this.forget(times.pts);
    this.byPts.set(times.pts, times);
    this.decodingTimes.push(times.dts);
    if (times.isKeyframe) this.keyframes.push(times);
  }

  /** The decoder refused the frame. */
  refused({ pts }: SourceTimes): void {
    this.forget(pts);
  }

  /** Nothing that was sent comes out any more. */
  reset(): void {
    this.byPts.clear();
    this.decodingTimes = [];
    this.keyframes = [];
  }

  /** The times of the picture that came out, or undefined when it belongs to no frame or is out of order: it cannot be used. */
  shown(pts: number): SourceTimes | undefined {
    const times = this.byPts.get(pts);
    if (times === undefined) return undefined;
    this.byPts.delete(pts);
    const dealt = this.deal(times);
    if (pts <= this.lastPts) return undefined;
    const dts = Math.min(Math.max(dealt, this.lastDts + 1), pts);
    this.lastDts = dts;
    this.lastPts = pts;
    return { ...times, dts };
  }

  private deal(times: SourceTimes): number {
    if (times.isKeyframe) {
      this.forgetBefore(times.dts);
      return times.dts;
    }
    const keyframe = this.keyframes.find(({ dts }) => dts < times.dts);
    if (keyframe === undefined) return this.decodingTimes.shift() ?? times.dts;
    // A leading picture (of an open GOP) is decoded after a keyframe and shown before it: it has to fit in before.
    this.take(times.dts);
    return this.lastDts === Number.NEGATIVE_INFINITY ? keyframe.dts - 1 : this.lastDts + Math.max(1, (keyframe.dts - this.lastDts) >> 1);
  }

  private forget(pts: number): void {
    const times = this.byPts.get(pts);
    if (times === undefined) return;
    this.byPts.delete(pts);
    this.keyframes = this.keyframes.filter((keyframe) => keyframe !== times);
    this.take(times.dts);
  }

  private take(dts: number): void {
    const index = this.decodingTimes.indexOf(dts);
    if (index >= 0) this.decodingTimes.splice(index, 1);
  }

  /** With a keyframe all that was decoded before it has been shown, or never will be. */
  private forgetBefore(dts: number): void {
    this.decodingTimes = this.decodingTimes.filter((other) => other > dts);
    this.keyframes = this.keyframes.filter((other) => other.dts > dts);
    for (const [pts, times] of this.byPts) if (times.dts <= dts) this.byPts.delete(pts);
  }
}
