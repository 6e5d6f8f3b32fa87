import type { Track } from '../media/mod.ts';
import { averageBitrateBps, peakBitrateBps, type VariantStream } from '../protocols/hls/mod.ts';
import type { HlsSegment } from './hls-segment.ts';

/** Rates that cameras and encoders have; a measured one this near is meant to be it. */
const USUAL_FRAME_RATES: readonly number[] = [
  12,
  12.5,
  15,
  24_000 / 1001,
  24,
  25,
  30_000 / 1001,
  30,
  48,
  50,
  60_000 / 1001,
  60,
  90,
  100,
  120_000 / 1001,
  120,
];
/** Publishers round frame times to milliseconds: that much error at each end of what was measured. */
const TIME_ERROR_S = 0.0015;

/** What the multivariant playlist says of the rendition whose newest segments these are. */
export function describeVariant(uri: string, segments: readonly HlsSegment[], targetDurationS: number): VariantStream {
  const complete = segments.filter((segment) => segment.isComplete && !segment.isGap);
  const measured = complete.length > 0 ? complete : segments;
  const tracks = segments.at(-1)?.stamp.tracks ?? [];
  const video = tracks.find((track) => track.kind === 'video');
  const variant: VariantStream = {
    uri,
    bandwidthBps: peakBitrateBps(measured, targetDurationS),
    averageBandwidthBps: averageBitrateBps(measured),
    codecs: codecStrings(tracks),
  };
  if (video === undefined) return variant;
  const frameRate = video.frameRate ?? measureFrameRate(measured);
  const resolution = { width: video.width, height: video.height };
  return frameRate === undefined ? { ...variant, resolution } : { ...variant, resolution, frameRate };
}

const codecStrings = (tracks: readonly Track[]): string[] => [...new Set(tracks.map((track) => track.codecString))];

/** Frames over time, over all segments of the newest configuration. */
function measureFrameRate(segments: readonly HlsSegment[]): number | undefined {
  const newest = segments.at(-1);
  const alike = segments.filter((segment) => segment.discontinuity === newest?.discontinuity && !segment.isGap);
  let frames = 0;
  let durationS = 0;
  for (const segment of alike) {
    frames += segment.leadFrames;
    durationS += segment.durationS;
  }
  if (frames === 0 || durationS <= 0) return undefined;
  const rate = frames / durationS;
  const tolerance = (rate * TIME_ERROR_S) / durationS;
  const nearest = USUAL_FRAME_RATES.toSorted((a, b) => Math.abs(a - rate) - Math.abs(b - rate))[0];
  return nearest !== undefined && Math.abs(nearest - rate) <= tolerance ? nearest : rate;
}
