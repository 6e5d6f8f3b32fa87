import { wallMs } from '../core/mod.ts';
import type { SegmentStamp } from '../media/mod.ts';
import { HlsSegment } from './hls-segment.ts';

/** A playlist goes on over so many segments that frames are missing of; over more it begins anew. */
const TORN_SEGMENTS_MAX = 4;

/** Whether a playlist that ends with `newest` can go on with the segment of `stamp`, all between them listed as missing. */
export function spans(newest: HlsSegment, { sequence, discontinuity }: SegmentStamp): boolean {
  return newest.discontinuity === discontinuity && sequence - newest.sequence <= TORN_SEGMENTS_MAX;
}

/** What is missing before the segment of `next`, which {@link spans} is true of: the rest of `open`, if it is there, and those between, behind the whole `last`. */
export function tornSegments(open: HlsSegment | undefined, last: HlsSegment | undefined, next: SegmentStamp): readonly HlsSegment[] {
  const newest = open ?? last;
  if (newest === undefined) return [];
  const first = open?.sequence ?? newest.sequence + 1;
  const startMs = open?.startMs ?? newest.startMs + newest.durationS * 1000;
  const eachMs = Math.max(0, next.startMs - startMs) / (next.sequence - first);
  const segments: HlsSegment[] = [];
  for (let sequence = first; sequence < next.sequence; sequence++) {
    const stamp = { ...newest.stamp, sequence, startMs: wallMs(startMs + (sequence - first) * eachMs) };
    const segment = sequence === open?.sequence ? open : new HlsSegment(stamp, newest.mapUri);
    segment.endTorn(eachMs / 1000);
    segments.push(segment);
  }
  return segments;
}
