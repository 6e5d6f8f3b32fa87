import type { MediaMessage } from '../containers/mod.ts';
import { mediaTime } from '../core/mod.ts';
import {
  type NalLengthSize,
  needsKeyframe,
  payloadLengthSize,
  type SourceFrame,
  sameConfiguration,
  toTrackPayload,
  type VideoCodec,
  type VideoTrack,
  videoTrack,
} from '../media/mod.ts';
import { sameBytes } from './same-bytes.ts';

const TICKS_PER_MS = 90;
const NANOSECONDS_PER_MS = 1_000_000;

/** A sequence header as it came, for comparing with the next. */
interface VideoHeader {
  readonly codec: VideoCodec;
  readonly config: Uint8Array;
  readonly lengthSize: NalLengthSize;
  /** The header does not tell the picture's size; keyframes do, and each may tell a new one. */
  readonly needsKeyframe: boolean;
}

/** Makes the one video track and its frames from parsed tag bodies. Throws `ProtocolError` for broken headers and payloads. */
export class FlvVideoSource {
  private readonly id: number;
  private header: VideoHeader | undefined = undefined;
  private track: VideoTrack | undefined = undefined;

  constructor(id: number) {
    this.id = id;
  }

  config(message: Extract<MediaMessage, { kind: 'video-config' }>): void {
    const { codec, config } = message;
    // Encoders repeat their headers, some with every keyframe.
    if (this.header?.codec === codec && sameBytes(this.header.config, config)) return;
    const needs = needsKeyframe(codec, config);
    if (needs) {
      if (this.track?.codec !== codec) this.track = undefined;
    } else {
      this.use(videoTrack(this.id, codec, config));
    }
    this.header = { codec, config, lengthSize: payloadLengthSize(codec, config), needsKeyframe: needs };
  }

  /** Undefined while the configuration is not known. */
  frame(timestampMs: number, message: Extract<MediaMessage, { kind: 'video-frame' }>): SourceFrame | undefined {
    const { header } = this;
    if (header === undefined || header.codec !== message.codec) return undefined;
    const payload = toTrackPayload(header.codec, message.payload, header.lengthSize);
    if (header.needsKeyframe && message.isKeyframe) this.use(videoTrack(this.id, header.codec, header.config, payload));
    const { track } = this;
    if (track === undefined) return undefined;
    const dts = timestampMs * TICKS_PER_MS + Math.round((message.timestampOffsetNs * TICKS_PER_MS) / NANOSECONDS_PER_MS);
    const pts = dts + message.compositionTimeMs * TICKS_PER_MS;
    return { track, dts: mediaTime(dts), pts: mediaTime(pts), isKeyframe: message.isKeyframe, payload };
  }

  // The same object as long as nothing changed: a new one means a discontinuity to everybody behind the hub.
  private use(track: VideoTrack): void {
    if (this.track === undefined || !sameConfiguration(this.track, track)) this.track = track;
  }
}
