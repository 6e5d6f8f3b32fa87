/** One rendition as EXT-X-STREAM-INF tells it (draft-pantos-hls-rfc8216bis, 4.4.6.2). */
export interface VariantStream {
  readonly uri: string;
  /** Peak segment bit rate in bits per second. */
  readonly bandwidthBps: number;
  /** Average segment bit rate in bits per second. */
  readonly averageBandwidthBps: number;
  /** RFC 6381 strings of every track in the segments. */
  readonly codecs: readonly string[];
  /** Absent for audio alone. */
  readonly resolution?: { readonly width: number; readonly height: number };
  /** Frames a second, if there is video and the rate is known. */
  readonly frameRate?: number;
}

/** Size and length of one segment, for the bit rates. */
export interface SegmentSize {
  readonly sizeBytes: number;
  readonly durationS: number;
}

/** EXT-X-INDEPENDENT-SEGMENTS is the newest tag used here; version 9 as in the media playlists. */
const VERSION = 9;

/** Renders the multivariant playlist. */
export function renderMultivariantPlaylist(variants: readonly VariantStream[]): string {
  let text = `#EXTM3U\n#EXT-X-VERSION:${VERSION}\n#EXT-X-INDEPENDENT-SEGMENTS\n`;
  for (const variant of variants) {
    text += `#EXT-X-STREAM-INF:BANDWIDTH=${variant.bandwidthBps},AVERAGE-BANDWIDTH=${variant.averageBandwidthBps}`;
    text += `,CODECS="${variant.codecs.join(',')}"`;
    if (variant.resolution !== undefined) text += `,RESOLUTION=${variant.resolution.width}x${variant.resolution.height}`;
    // 4.4.6.2: rounded to three decimal places.
    if (variant.frameRate !== undefined) text += `,FRAME-RATE=${variant.frameRate.toFixed(3)}`;
    text += `\n${variant.uri}\n`;
  }
  return text;
}

/**
 * The peak segment bit rate (4.1): the largest bit rate of any contiguous run of segments whose total duration is between
 * 0.5 and 1.5 times the target duration. Falls back to the average where no run qualifies.
 */
export function peakBitrateBps(segments: readonly SegmentSize[], targetDurationS: number): number {
  let peak = 0;
  for (let from = 0; from < segments.length; from++) {
    let sizeBytes = 0;
    let durationS = 0;
    for (let to = from; to < segments.length && durationS <= targetDurationS * 1.5; to++) {
      sizeBytes += segments[to]?.sizeBytes ?? 0;
      durationS += segments[to]?.durationS ?? 0;
      if (durationS < targetDurationS * 0.5 || durationS > targetDurationS * 1.5) continue;
      peak = Math.max(peak, Math.ceil((sizeBytes * 8) / durationS));
    }
  }
  return peak > 0 ? peak : averageBitrateBps(segments);
}

/** The average segment bit rate (4.1): all bits over the whole duration. 0 for nothing. */
export function averageBitrateBps(segments: readonly SegmentSize[]): number {
  let sizeBytes = 0;
  let durationS = 0;
  for (const segment of segments) {
    sizeBytes += segment.sizeBytes;
    durationS += segment.durationS;
  }
  return durationS > 0 ? Math.ceil((sizeBytes * 8) / durationS) : 0;
}
