import { wallMs } from '../core/mod.ts';
import type { SegmentStamp } from '../media/mod.ts';
import { type PlaylistPart, type PlaylistSegment, partName, segmentName } from '../protocols/hls/mod.ts';
import type { HlsPart } from './hls-part.ts';

/** Between one segment and the next; each is a tag. */
const DISCONTINUITY_STEPS_MAX = 1_000;

/** What is known of a complete segment without its bytes. */
export interface SegmentRecord {
  readonly sequence: number;
  readonly discontinuity: number;
  readonly startMs: number;
  readonly mapUri: string;
  readonly durationS: number;
  readonly leadFrames: number;
  readonly isGap: boolean;
  readonly parts: readonly {
    readonly durationS: number;
    readonly sizeBytes: number;
    readonly isIndependent: boolean;
    readonly isGap: boolean;
  }[];
}

/** A segment as it grows part by part and is then kept. Its bytes are those of its parts in order. */
export class HlsSegment implements PlaylistSegment {
  readonly stamp: SegmentStamp;
  readonly startMs: number;
  readonly mapUri: string;
  readonly uri: string;
  readonly parts: PlaylistPart[] = [];
  readonly chunks: Uint8Array[] = [];
  /** Bytes of each part; 0 of one that nobody has. */
  readonly partSizes: number[] = [];
  isComplete = false;
  /** Frames are missing of it. */
  isGap = false;
  sizeBytes = 0;
  leadFrames = 0;
  private leadTicks = 0;
  private timescale = 1;
  /** Of what is missing. */
  private missingS = 0;

  /** `startMs`: of its first frame, where that is not the one that the source's segment begins with. */
  constructor(stamp: SegmentStamp, mapUri: string, startMs: number = stamp.startMs) {
    this.stamp = stamp;
    this.startMs = startMs;
    this.mapUri = mapUri;
    this.uri = segmentName(stamp.sequence);
  }

  /** One that another node has: all but its bytes, its tracks and its targets. */
  static recalled({ sequence, discontinuity, startMs, mapUri, durationS, leadFrames, isGap, parts }: SegmentRecord): HlsSegment {
    const stamp = { sequence, discontinuity, startMs: wallMs(startMs), targetDurationS: 0, partTargetMs: 0, tracks: [] };
    const segment = new HlsSegment(stamp, mapUri);
    segment.isComplete = true;
    segment.isGap = isGap;
    segment.missingS = durationS;
    segment.leadFrames = leadFrames;
    for (const { sizeBytes, ...part } of parts) {
      segment.parts.push({ ...part, uri: partName(sequence, segment.parts.length) });
      segment.partSizes.push(sizeBytes);
      segment.sizeBytes += sizeBytes;
    }
    return segment;
  }

  get record(): SegmentRecord {
    const { sequence, discontinuity, startMs, mapUri, durationS, leadFrames, isGap, partSizes } = this;
    const parts = this.parts.map((part, index) => {
      const sizeBytes = partSizes[index] ?? 0;
      return { durationS: part.durationS, sizeBytes, isIndependent: part.isIndependent, isGap: part.isGap === true };
    });
    return { sequence, discontinuity, startMs, mapUri, durationS, leadFrames, isGap, parts };
  }

  get sequence(): number {
    return this.stamp.sequence;
  }
  get discontinuity(): number {
    return this.stamp.discontinuity;
  }
  get durationS(): number {
    return this.leadTicks / this.timescale + this.missingS;
  }

  /** Whether it may come behind `previous` in a playlist: numbers have no hole, and those of discontinuities never go back, nor so far ahead that a tag for each would be too many. */
  goesOnFrom(previous: HlsSegment): boolean {
    const steps = this.discontinuity - previous.discontinuity;
    return this.sequence === previous.sequence + 1 && steps >= 0 && steps <= DISCONTINUITY_STEPS_MAX;
  }

  /** Parts that nobody has, as many as there must be before one of this index, last so long together. */
  skipTo(index: number, durationS: number): void {
    this.isGap = true;
    this.missingS += durationS;
    const count = index - this.parts.length;
    for (let n = 0; n < count; n++) {
      const uri = partName(this.sequence, this.parts.length);
      this.parts.push({ uri, durationS: durationS / count, isIndependent: false, isGap: true });
      this.partSizes.push(0);
    }
  }

  /** Ends it, with all that is missing, after so long. */
  endTorn(durationS: number): void {
    this.isGap = true;
    this.isComplete = true;
    this.missingS += durationS - this.durationS;
  }

  /** Adds a complete part and returns its name. */
  add(part: HlsPart): string {
    this.timescale = part.leadTimescale;
    const uri = partName(this.sequence, this.parts.length);
    this.parts.push({ uri, durationS: part.leadTicks / part.leadTimescale, isIndependent: part.isIndependent });
    this.chunks.push(part.bytes);
    this.partSizes.push(part.bytes.length);
    this.sizeBytes += part.bytes.length;
    this.leadTicks += part.leadTicks;
    this.leadFrames += part.leadFrames;
    return uri;
  }
}
