/** What a receiver knows about the last frame it handed to the screen (https://w3c.github.io/webrtc-extensions). */
export interface CapturedSource {
  /** When it was handed over: Unix milliseconds in Chromium and Firefox, milliseconds since the page's time origin in Safari. */
  readonly timestamp: number;
  /** abs-capture-time: the capturing computer's clock, milliseconds since 1900. */
  readonly captureTimestamp?: number;
  /** The capturing computer's clock less the sender's, as the sender estimates it. */
  readonly senderCaptureTimeOffset?: number | null;
}

const NTP_TO_UNIX_MS = 2_208_988_800_000;
// What is older than this, or from further ahead, says that the clocks differ by more than a latency can be told.
const BELIEVABLE_MS_MAX = 60_000;

/**
 * From the capture of a frame to the moment it was handed to the screen, in milliseconds; `undefined` where the publisher does not send
 * capture times. `timeOriginMs` is the Unix time of the page's monotonic zero. True where the clocks of sender and viewer agree.
 */
export function captureLatencyMs(sources: readonly CapturedSource[], timeOriginMs: number): number | undefined {
  for (const { timestamp, captureTimestamp, senderCaptureTimeOffset } of sources) {
    if (captureTimestamp === undefined || !Number.isFinite(captureTimestamp)) continue;
    // Capturer's clock = sender's clock + offset (abs-capture-time, "Estimated capture clock offset").
    const capturedMs = captureTimestamp - (senderCaptureTimeOffset ?? 0) - NTP_TO_UNIX_MS;
    const shownMs = timestamp < timeOriginMs / 2 ? timeOriginMs + timestamp : timestamp;
    const latencyMs = shownMs - capturedMs;
    if (Math.abs(latencyMs) <= BELIEVABLE_MS_MAX) return latencyMs;
  }
  return undefined;
}
