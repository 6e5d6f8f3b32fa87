import type { MediaTime, WallMs } from '../core/mod.ts';
import type { Track } from './track.ts';

/** What a source puts into the hub: one access unit, on the source's own clock. Given to the hub; nobody writes to it afterwards. */
export interface SourceFrame {
  readonly track: Track;
  /** Decoding time in ticks of `track.timescale`, unwrapped, on the source's own clock. May go back or jump: the timeline handles it. */
  readonly dts: MediaTime;
  /** Presentation time; `pts >= dts` save for broken sources. */
  readonly pts: MediaTime;
  /** Whether decoding can start here. Always true for audio. */
  readonly isKeyframe: boolean;
  /** See {@link Track} for the format per codec. */
  readonly payload: Uint8Array;
  /** When the frame was captured, if the publisher says so. */
  readonly captureMs?: WallMs;
}

/** A segment of the stream's one timeline, made once by the origin and shared by all its frames. */
export interface SegmentStamp {
  /** The Media Sequence Number; grows by one. */
  readonly sequence: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE of this segment; grows at a new source or configuration, and decides which init segment holds. */
  readonly discontinuity: number;
  /** EXT-X-PROGRAM-DATE-TIME of the segment's first frame. */
  readonly startMs: WallMs;
  /** EXT-X-TARGETDURATION in whole seconds as known when the segment began; only grows. */
  readonly targetDurationS: number;
  /** EXT-X-PART-INF PART-TARGET in milliseconds; constant for the stream. */
  readonly partTargetMs: number;
  /** The tracks in force for all frames of this segment. Same array object over all segments of one discontinuity. */
  readonly tracks: readonly Track[];
}

/** A frame with its place on the timeline. Immutable and shared by every sink; never copied. */
export interface Frame extends SourceFrame {
  /** `dts` and `pts` here are on the stream's timeline: they never go back within a track and go on over a change of source. */
  readonly segment: SegmentStamp;
  /** The index of the frame's part within its segment, from 0. */
  readonly part: number;
  /** True for the first frame of a part: every frame before it belongs to parts that are complete. */
  readonly startsPart: boolean;
  /** When the frame entered the hub, on the process's monotonic clock in ms; for measuring latency only. */
  readonly receivedMs: number;
}
