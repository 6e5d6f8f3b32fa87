/** Where the picture comes from. */
export type SourceKind = 'camera' | 'screen' | 'test';

/** What the publisher chose. */
export interface PublishSettings {
  readonly source: SourceKind;
  /** Device ids; empty for the browser's own choice. */
  readonly cameraId: string;
  readonly microphoneId: string;
  readonly withSound: boolean;
  /** Lines of the picture. */
  readonly height: number;
  readonly framesPerSecond: number;
  /** Of the picture. */
  readonly bitrateBps: number;
  /** `H264`, …; as RTCRtpSender.getCapabilities names it, without `video/`. */
  readonly codec: string;
  readonly simulcast: boolean;
}

export const DEFAULT_SETTINGS: PublishSettings = {
  source: 'camera',
  cameraId: '',
  microphoneId: '',
  withSound: true,
  height: 720,
  framesPerSecond: 30,
  bitrateBps: 2_500_000,
  codec: 'H264',
  simulcast: false,
};

export const HEIGHTS: readonly number[] = [360, 480, 720, 1080];
export const FRAME_RATES: readonly number[] = [15, 24, 30, 60];
export const BITRATE_RANGE: { readonly minBps: number; readonly maxBps: number; readonly stepBps: number } = {
  minBps: 200_000,
  maxBps: 8_000_000,
  stepBps: 100_000,
};

/** Width of a 16:9 picture of that height, even as encoders need it. */
export const widthOf = (height: number): number => 2 * Math.round((height * 16) / 18);

/** Settings as the page's address has them (`?source=test&height=360&fps=15&bitrate=800&codec=VP8&simulcast=1`); what is not right is left as it is. */
export function settingsOf(query: URLSearchParams): PublishSettings {
  const source = query.get('source');
  const height = Number(query.get('height'));
  const fps = Number(query.get('fps'));
  const bitrateBps = Number(query.get('bitrate')) * 1000;
  return {
    ...DEFAULT_SETTINGS,
    ...(source === 'camera' || source === 'screen' || source === 'test' ? { source } : {}),
    ...(HEIGHTS.includes(height) ? { height } : {}),
    ...(FRAME_RATES.includes(fps) ? { framesPerSecond: fps } : {}),
    ...(bitrateBps >= BITRATE_RANGE.minBps && bitrateBps <= BITRATE_RANGE.maxBps ? { bitrateBps } : {}),
    ...(query.has('codec') ? { codec: query.get('codec') as string } : {}),
    ...(query.get('simulcast') === '1' ? { simulcast: true } : {}),
  };
}

// Each layer has a quarter of the next one's pixels and, as small pictures need more bits a pixel, more than a quarter of its bits.
const LAYERS: readonly { readonly rid: string; readonly scale: number; readonly share: number }[] = [
  { rid: 'l', scale: 4, share: 0.1 },
  { rid: 'm', scale: 2, share: 0.27 },
  { rid: 'h', scale: 1, share: 0.63 },
];

/** What an encoder is told: one encoding, or with simulcast three that share the bitrate, the smallest first (the order of giving up is the reverse). */
export function encodingsOf(settings: PublishSettings): RTCRtpEncodingParameters[] {
  const { simulcast, bitrateBps, framesPerSecond: maxFramerate } = settings;
  if (!simulcast) return [{ maxBitrate: bitrateBps, maxFramerate }];
  return LAYERS.map(({ rid, scale, share }) => ({
    rid,
    scaleResolutionDownBy: scale,
    maxBitrate: Math.round(bitrateBps * share),
    maxFramerate,
  }));
}
