import { mediaTime, wallMs } from '../../core/mod.ts';
import { audioTrack, type SourceFrame, sameConfiguration, type Track, videoTrack } from '../../media/mod.ts';
import type { PlannedRung } from '../../transcode/mod.ts';
import { messageOf, type PipedFrame } from '../ffmpeg/mod.ts';
import { fromBase64, type NumberedRung } from './messages.ts';

const VIDEO_ID = 1;
const AUDIO_ID = 2;

/** What comes out of the child for one rung: frames of a track that begins with a keyframe. */
export class RungOutput {
  readonly number: number;
  readonly name: string;
  readonly numbered: NumberedRung;
  private readonly planned: PlannedRung;
  private track: Track | undefined = undefined;
  /** Holds from the next keyframe on. */
  private config: Uint8Array | undefined = undefined;

  constructor(number: number, planned: PlannedRung, encoders: readonly string[]) {
    this.number = number;
    this.name = planned.rung.name;
    this.planned = planned;
    this.numbered = { number, rung: planned.rung, expected: planned.expected, encoders };
  }

  /** Whether `planned` is this very rung. What is expected of it may have been told better since: that changes nothing about it. */
  isOf(planned: PlannedRung): boolean {
    return this.planned === planned || JSON.stringify(this.planned.rung) === JSON.stringify(planned.rung);
  }

  setConfig(base64: string): void {
    this.config = fromBase64(base64);
  }

  /** The frame with its track; undefined before the first keyframe. */
  take({ dts, pts, isKeyframe, captureMs, payload }: PipedFrame): SourceFrame | { readonly failure: string } | undefined {
    if (isKeyframe && this.config !== undefined) {
      try {
        this.adopt(this.describe(this.config, payload));
      } catch (error) {
        return { failure: messageOf(error) };
      }
    }
    const { track } = this;
    if (track === undefined) return undefined;
    const frame = { track, dts: mediaTime(dts), pts: mediaTime(pts), isKeyframe, payload };
    return captureMs === undefined ? frame : { ...frame, captureMs: wallMs(captureMs) };
  }

  private adopt(track: Track): void {
    this.config = undefined;
    if (this.track === undefined || !sameConfiguration(this.track, track)) this.track = track;
  }

  private describe(config: Uint8Array, keyframe: Uint8Array): Track {
    const { rung, expected } = this.planned;
    if (rung.kind === 'audio') return audioTrack(AUDIO_ID, rung.codec, config);
    const track = videoTrack(VIDEO_ID, rung.codec, config, keyframe);
    // Encoders that are fed with times write no rate into their headers.
    return track.frameRate === undefined && expected.frameRate !== undefined ? { ...track, frameRate: expected.frameRate } : track;
  }
}
