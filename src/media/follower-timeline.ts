import { mediaTime, msToTicks, ticksToMs } from '../core/mod.ts';
import { sameConfiguration } from './codecs/describe.ts';
import type { Frame, SegmentStamp, SourceFrame } from './frame.ts';
import type { TimelineOutput } from './timeline.ts';
import type { Track } from './track.ts';

/** Keyframes of a rendition count as aligned with the source's when they are this near: clocks of simulcast layers agree no better. */
const ALIGNED_MS = 16;
/** Frames that are ahead of the source wait for it; past this many the oldest are dropped. */
const WAITING_FRAMES_MAX = 256;
/** A rendition is not further ahead of its source, nor behind it: what says so has a broken time, or is of no use any more. */
const APART_MS_MAX = 10_000;
/** Parts of the source that are remembered: at half a second each more than a minute, which no encoder is behind. */
const PLACES_MAX = 256;

/** Where the source began a part. */
interface Place {
  readonly stamp: SegmentStamp;
  readonly part: number;
  readonly startMs: number;
}

interface Open {
  readonly place: Place;
  readonly stamp: SegmentStamp;
}

interface Waiting {
  readonly frame: SourceFrame;
  readonly receivedMs: number;
}

/**
 * Gives the pictures of a rendition the places of its source: same segments, same parts, same numbers, cut at the same times. The source's
 * sound goes along with them unchanged. Frames come in with times on the stream's timeline; those that are ahead of the source wait until it
 * has got there, since only then its cuts are known.
 *
 * A rendition begins at its first keyframe (packagers that need a whole segment wait for one). A changed configuration holds from a keyframe on
 * that begins a segment of the source; until then its frames are dropped. That is no discontinuity: renditions count those of their source
 * (draft-pantos-hls-rfc8216bis 6.2.4: numbers of matching content match). Behind any other frame that is dropped it goes on with the next keyframe.
 */
export class FollowerTimeline {
  private readonly out: TimelineOutput;
  private places: Place[] = [];
  private readonly waiting: Waiting[] = [];
  private headMs = Number.NEGATIVE_INFINITY;
  private sourceTracks: readonly Track[] = [];
  private video: Track | undefined = undefined;
  private open: Open | undefined = undefined;
  private lastMs = Number.NEGATIVE_INFINITY;
  /** The time of the last frame that has its place; sound goes on no longer than pictures. */
  private placedMs = Number.NEGATIVE_INFINITY;
  /** A frame is missing that those before the next keyframe may refer to. */
  private isBroken = false;
  private dropped = 0;

  constructor(out: TimelineOutput) {
    this.out = out;
  }

  /** Frames that had no place: before the first aligned keyframe, of a configuration not in force yet, too late, or behind such a one. */
  get droppedFrames(): number {
    return this.dropped;
  }

  /** Nobody makes the rendition for a while: it begins anew, without the sound that went along. */
  rest(): void {
    this.open = undefined;
    this.waiting.length = 0;
    this.isBroken = false;
  }

  /** A frame of the source, in its order. */
  follow(frame: Frame): void {
    const lead = frame.segment.tracks[0];
    if (lead === undefined) return;
    this.sourceTracks = frame.segment.tracks;
    if (frame.track.id === lead.id) this.advance(frame);
    else if (frame.track.kind === 'audio') this.passAudio(frame);
  }

  /** The next frame of the rendition; `frame.dts` and `frame.pts` are on the stream's timeline. */
  write(frame: SourceFrame, receivedMs: number): void {
    const ms = startMs(frame);
    const aheadMs = Number.isFinite(this.headMs) ? ms - this.headMs : 0;
    if (ms <= this.lastMs || aheadMs > APART_MS_MAX) {
      this.drop();
      return;
    }
    this.lastMs = ms;
    if (this.waiting.length > 0 || ms > this.headMs + ALIGNED_MS) this.wait({ frame, receivedMs });
    else this.place(frame, receivedMs);
  }

  private wait(waiting: Waiting): void {
    this.waiting.push(waiting);
    if (this.waiting.length <= WAITING_FRAMES_MAX) return;
    this.waiting.shift();
    this.drop();
  }

  private drop(): void {
    this.dropped++;
    this.isBroken = true;
  }

  private advance(frame: Frame): void {
    this.headMs = startMs(frame);
    if (frame.startsPart) {
      this.places.push({ stamp: frame.segment, part: frame.part, startMs: this.headMs });
      if (this.places.length > PLACES_MAX) this.places.shift();
    }
    for (;;) {
      const next = this.waiting[0];
      if (next === undefined || startMs(next.frame) > this.headMs + ALIGNED_MS) return;
      this.waiting.shift();
      this.place(next.frame, next.receivedMs);
    }
  }

  private passAudio(frame: Frame): void {
    const { open } = this;
    if (open === undefined || !open.stamp.tracks.includes(frame.track) || startMs(frame) - this.placedMs > APART_MS_MAX) return;
    this.out.frame({ ...frame, segment: open.stamp, part: open.place.part, startsPart: false });
  }

  private place(frame: SourceFrame, receivedMs: number): void {
    const place = this.places.findLast((candidate) => candidate.startMs <= startMs(frame) + ALIGNED_MS);
    if (place === undefined || !this.isUsable(frame, place)) {
      this.drop();
      return;
    }
    this.isBroken = false;
    this.placedMs = startMs(frame);
    const previous = this.open;
    const open = previous?.place === place ? previous : this.enter(place);
    this.forgetBefore(place);
    this.out.frame({ ...frame, segment: open.stamp, part: place.part, startsPart: open !== previous, receivedMs });
  }

  /** Whether the frame can be decoded where it would be; takes over its configuration where one can begin. */
  private isUsable(frame: SourceFrame, place: Place): boolean {
    const beginsSegment = place.part === 0 && place !== this.open?.place;
    const isAligned = frame.isKeyframe && beginsSegment && startMs(frame) - place.startMs <= ALIGNED_MS;
    const isFirst = frame.isKeyframe && this.open === undefined;
    const isKnown = this.video !== undefined && (this.video === frame.track || sameConfiguration(this.video, frame.track));
    if ((isAligned || isFirst) && !isKnown) this.video = frame.track;
    return isAligned || isFirst || (isKnown && this.open !== undefined && (frame.isKeyframe || !this.isBroken));
  }

  /** Begins a part of the source, and the segment that it belongs to. */
  private enter(place: Place): Open {
    const previous = this.open?.stamp;
    const stamp = previous?.sequence === place.stamp.sequence ? previous : { ...place.stamp, tracks: this.tracksOf(this.video) };
    this.open = { place, stamp };
    return this.open;
  }

  /** The same array as before while nothing changed, as for the source's segments. */
  private tracksOf(video: Track | undefined): readonly Track[] {
    const tracks = [...(video === undefined ? [] : [video]), ...this.sourceTracks.filter(({ kind }) => kind === 'audio')];
    const previous = this.open?.stamp.tracks ?? [];
    return previous.length === tracks.length && tracks.every((track, index) => previous[index] === track) ? previous : tracks;
  }

  private forgetBefore(place: Place): void {
    if (this.places[0] === place) return;
    this.places = this.places.slice(this.places.indexOf(place));
  }
}

const startMs = ({ dts, track }: SourceFrame): number => ticksToMs(dts, track.timescale);

/** `frame` with its times shifted by `shiftMs`. */
export function shifted<Shifted extends SourceFrame>(frame: Shifted, shiftMs: number): Shifted {
  const shift = msToTicks(shiftMs, frame.track.timescale);
  return { ...frame, dts: mediaTime(frame.dts + shift), pts: mediaTime(frame.pts + shift) };
}
