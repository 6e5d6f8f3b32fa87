import type { MediaMessage } from '../containers/mod.ts';
import { mediaTime } from '../core/mod.ts';
import { type AudioCodec, type AudioTrack, audioFrameTicks, audioTrack, type SourceFrame, sameConfiguration } from '../media/mod.ts';
import { AudioClock, type AudioClockLimits } from './audio-clock.ts';
import { sameBytes } from './same-bytes.ts';

const NANOSECONDS_PER_MS = 1_000_000;

/** Makes the one audio track and its frames from parsed tag bodies. Throws `ProtocolError` for broken headers and payloads. */
export class FlvAudioSource {
  private readonly id: number;
  private readonly limits: AudioClockLimits;
  private codec: AudioCodec | undefined = undefined;
  /** The sequence header as it came, or the first bytes of an MP3 frame, for comparing with the next. */
  private header: Uint8Array | undefined = undefined;
  private track: AudioTrack | undefined = undefined;
  private clock: AudioClock | undefined = undefined;

  constructor(id: number, limits: AudioClockLimits) {
    this.id = id;
    this.limits = limits;
  }

  config({ codec, config }: Extract<MediaMessage, { kind: 'audio-config' }>): void {
    if (this.codec === codec && this.header !== undefined && sameBytes(this.header, config)) return;
    this.use(audioTrack(this.id, codec, config));
    this.codec = codec;
    this.header = config;
  }

  /** `before-config` while the configuration is not known; `surplus` for a frame that the clock leaves out. */
  frame(timestampMs: number, message: Extract<MediaMessage, { kind: 'audio-frame' }>): SourceFrame | 'before-config' | 'surplus' {
    const { codec, payload } = message;
    if (codec === 'mp3') this.describeMp3(payload);
    const { track, clock } = this;
    if (this.codec !== codec || track === undefined || clock === undefined) return 'before-config';
    const at = clock.place(timestampMs + message.timestampOffsetNs / NANOSECONDS_PER_MS, audioFrameTicks(track, payload));
    if (at === undefined) return 'surplus';
    return { track, dts: mediaTime(at), pts: mediaTime(at), isKeyframe: true, payload };
  }

  /** The sequence is over; the next one starts a new count of samples. */
  end(): void {
    this.clock?.reset();
  }

  // MP3 frames describe themselves; only a change of version, layer, sample rate or channel mode makes another track.
  private describeMp3(payload: Uint8Array): void {
    const header = Uint8Array.of((payload[1] ?? 0) & 0xfe, (payload[2] ?? 0) & 0x0c, (payload[3] ?? 0) & 0xc0);
    if (this.codec === 'mp3' && this.header !== undefined && sameBytes(this.header, header)) return;
    this.use(audioTrack(this.id, 'mp3', payload));
    this.codec = 'mp3';
    this.header = header;
  }

  private use(track: AudioTrack): void {
    if (this.track !== undefined && sameConfiguration(this.track, track)) return;
    this.track = track;
    this.clock = new AudioClock(track.timescale, this.limits);
  }
}
