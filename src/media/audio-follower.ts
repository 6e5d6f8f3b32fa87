import { ticksToMs } from '../core/mod.ts';
import { sameConfiguration } from './codecs/describe.ts';
import type { Frame, SegmentStamp, SourceFrame } from './frame.ts';
import type { TimelineOutput } from './timeline.ts';
import type { Track } from './track.ts';

/**
 * Gives the sound of a rendition (the same sound in another codec) the places of its source. Each frame of sound can be decoded alone, so it
 * belongs to the part that is open when it comes, as the source's own sound does.
 */
export class AudioFollower {
  private readonly out: TimelineOutput;
  private source: Frame | undefined = undefined;
  private stamp: SegmentStamp | undefined = undefined;
  private part = -1;
  private track: Track | undefined = undefined;
  private lastMs = Number.NEGATIVE_INFINITY;
  private dropped = 0;

  constructor(out: TimelineOutput) {
    this.out = out;
  }

  /** Frames that came before the source, or were not newer than the one before. */
  get droppedFrames(): number {
    return this.dropped;
  }

  /** Nobody makes the rendition for a while. */
  rest(): void {
    this.stamp = undefined;
    this.track = undefined;
  }

  /** A frame of the source, in its order. */
  follow(frame: Frame): void {
    if (frame.track.id === frame.segment.tracks[0]?.id) this.source = frame;
  }

  /** The next frame of the rendition; `frame.dts` is on the stream's timeline. */
  write(frame: SourceFrame, receivedMs: number): void {
    const ms = ticksToMs(frame.dts, frame.track.timescale);
    const { source } = this;
    if (source === undefined || ms <= this.lastMs) {
      this.dropped++;
      return;
    }
    this.lastMs = ms;
    const startsPart = this.enter(source, frame.track);
    this.out.frame({ ...frame, segment: this.stamp ?? source.segment, part: source.part, startsPart, receivedMs });
  }

  /** True when the source has begun another part since the last frame. */
  private enter(source: Frame, track: Track): boolean {
    const isSameTrack = this.track !== undefined && (this.track === track || sameConfiguration(this.track, track));
    if (isSameTrack && this.stamp?.sequence === source.segment.sequence && this.part === source.part) return false;
    const tracks = isSameTrack && this.stamp !== undefined ? this.stamp.tracks : [track];
    if (!isSameTrack || this.stamp?.sequence !== source.segment.sequence) this.stamp = { ...source.segment, tracks };
    this.track = tracks[0];
    this.part = source.part;
    return true;
  }
}
