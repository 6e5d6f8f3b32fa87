import type { Frame, SegmentStamp, Track } from '../media/mod.ts';

/** What a rendition that is made on demand will be; of others, what they are. */
export interface RenditionExpectation {
  readonly codec: Track['codec'];
  /** RFC 6381. */
  readonly codecString: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** With the sound that goes along. */
  readonly bitrateBps: number;
}

/** Another rate than this many times what was said of it, or than this part of it, is said anew: all nodes' playlists follow each time. */
const SAME_WITHIN = 1.25;

/**
 * What is said of a rendition that its publisher sends, to all nodes alike: what its pictures are, and, from its first whole segment on, how many bits a
 * second it has with the sound that goes along (0 until then).
 */
export class MeasuredRendition {
  private lastSaid: RenditionExpectation | undefined = undefined;
  private segment: SegmentStamp | undefined = undefined;
  private isWhole = false;
  private bytes = 0;

  /** The same object as long as it says the same. */
  get said(): RenditionExpectation | undefined {
    return this.lastSaid;
  }

  /** A frame with its place. True: something else is to be said from now on. */
  frame({ segment, part, payload }: Frame): boolean {
    const { segment: before, lastSaid } = this;
    if (before?.sequence === segment.sequence) {
      this.bytes += payload.length;
      return false;
    }
    const measured = before !== undefined && this.isWhole ? bitrateOf(this.bytes, before, segment) : undefined;
    this.isWhole = part === 0;
    this.segment = segment;
    this.bytes = payload.length;
    const isSameRate = measured === undefined || isWithin(measured, lastSaid?.bitrateBps ?? 0);
    if (isSameRate && before?.tracks === segment.tracks && lastSaid !== undefined) return false;
    this.lastSaid = describe(segment, isSameRate ? (lastSaid?.bitrateBps ?? 0) : measured);
    return this.lastSaid !== undefined;
  }
}

/** Undefined where the one does not go on behind the other. */
function bitrateOf(bytes: number, from: SegmentStamp, to: SegmentStamp): number | undefined {
  const ms = to.startMs - from.startMs;
  const isNext = to.sequence === from.sequence + 1 && to.discontinuity === from.discontinuity && ms > 0;
  return isNext ? Math.round((bytes * 8000) / ms) : undefined;
}

const isWithin = (measured: number, said: number): boolean => measured <= said * SAME_WITHIN && measured * SAME_WITHIN >= said;

function describe({ tracks }: SegmentStamp, bitrateBps: number): RenditionExpectation | undefined {
  const video = tracks.find((track) => track.kind === 'video');
  if (video === undefined) return undefined;
  const { codec, codecString, width, height, frameRate } = video;
  return { codec, codecString, width, height, bitrateBps, ...(frameRate === undefined ? {} : { frameRate }) };
}
