import type { SegmentStamp } from '../media/mod.ts';
import { type PlaylistPart, type PlaylistSegment, partName, segmentName } from '../protocols/hls/mod.ts';
import type { HlsPart } from './hls-part.ts';

/** A segment as it grows part by part and is then kept. Its bytes are those of its parts in order. */
export class HlsSegment implements PlaylistSegment {
  readonly stamp: SegmentStamp;
  readonly startMs: number;
  readonly mapUri: string;
  readonly uri: string;
  readonly parts: PlaylistPart[] = [];
  readonly chunks: Uint8Array[] = [];
  isComplete = false;
  sizeBytes = 0;
  leadFrames = 0;
  private leadTicks = 0;
  private timescale = 1;

  /** `startMs`: of its first frame, where that is not the one that the source's segment begins with. */
  constructor(stamp: SegmentStamp, mapUri: string, startMs: number = stamp.startMs) {
    this.stamp = stamp;
    this.startMs = startMs;
    this.mapUri = mapUri;
    this.uri = segmentName(stamp.sequence);
  }

  get sequence(): number {
    return this.stamp.sequence;
  }
  get discontinuity(): number {
    return this.stamp.discontinuity;
  }
  get durationS(): number {
    return this.leadTicks / this.timescale;
  }

  /** Whether it may come behind `previous` in a playlist: numbers have no hole, and those of discontinuities never go back. */
  goesOnFrom(previous: HlsSegment): boolean {
    return this.sequence === previous.sequence + 1 && this.discontinuity >= previous.discontinuity;
  }

  /** Adds a complete part and returns its name. */
  add(part: HlsPart): string {
    this.timescale = part.leadTimescale;
    const uri = partName(this.sequence, this.parts.length);
    this.parts.push({ uri, durationS: part.leadTicks / part.leadTimescale, isIndependent: part.isIndependent });
    this.chunks.push(part.bytes);
    this.sizeBytes += part.bytes.length;
    this.leadTicks += part.leadTicks;
    this.leadFrames += part.leadFrames;
    return uri;
  }
}
