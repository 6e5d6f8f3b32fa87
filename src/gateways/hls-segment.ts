import type { SegmentStamp } from '../media/mod.ts';
import { type PlaylistPart, type PlaylistSegment, partName, segmentName } from '../protocols/hls/mod.ts';
import type { HlsPart } from './hls-part.ts';

/** A segment as it grows part by part and is then kept. Its bytes are those of its parts in order. */
export class HlsSegment implements PlaylistSegment {
  readonly stamp: SegmentStamp;
  readonly mapUri: string;
  readonly uri: string;
  readonly parts: PlaylistPart[] = [];
  readonly chunks: Uint8Array[] = [];
  isComplete = false;
  sizeBytes = 0;
  leadFrames = 0;
  private leadTicks = 0;
  private timescale = 1;

  constructor(stamp: SegmentStamp, mapUri: string) {
    this.stamp = stamp;
    this.mapUri = mapUri;
    this.uri = segmentName(stamp.sequence);
  }

  get sequence(): number {
    return this.stamp.sequence;
  }
  get discontinuity(): number {
    return this.stamp.discontinuity;
  }
  get startMs(): number {
    return this.stamp.startMs;
  }
  get durationS(): number {
    return this.leadTicks / this.timescale;
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
