import { mediaTime, ProtocolError } from '../core/mod.ts';
import {
  type AudioCodec,
  type AudioTrack,
  audioFrameTicks,
  audioTrack,
  buildOpusHead,
  parseAdtsHeader,
  type SourceFrame,
  sameConfiguration,
  type VideoCodec,
} from '../media/mod.ts';
import { AudioClock, audioClockLimitsDefault } from './audio-clock.ts';
import { sameBytes } from './same-bytes.ts';

/** Seconds a tick, as a fraction. */
export interface TimeBase {
  readonly numerator: number;
  readonly denominator: number;
}

/** A track as a demuxer describes it: `config` is what the container has of its configuration (FFmpeg's extradata), or empty. */
export type PulledTrack =
  | { readonly kind: 'video'; readonly codec: VideoCodec; readonly config: Uint8Array; readonly timeBase: TimeBase }
  | { readonly kind: 'audio'; readonly codec: AudioCodec; readonly config: Uint8Array; readonly timeBase: TimeBase };

/**
 * So many frames without a time are left out at the beginning: RTP has none before the first sender report (RFC 3550 6.4.1). A source that
 * still has none then gets times by their count.
 */
export const UNTIMED_FRAMES_MAX = 150;

const AUDIO_TRACK_ID = 2;
const OPUS_SAMPLE_RATE = 48_000;
const ADTS_HEADER_BYTES_MIN = 7;
/** Of one packet: more than any demuxer puts into one. */
const ADTS_FRAMES_MAX = 64;

/** The one audio track of a source, and its frames: one for each that a packet holds. */
export class SourceAudio {
  private readonly codec: AudioCodec;
  private readonly config: Uint8Array;
  private readonly timeBase: TimeBase;
  /** The header that the track was made from. */
  private header: Uint8Array | undefined = undefined;
  private track: AudioTrack | undefined = undefined;
  private clock: AudioClock | undefined = undefined;
  /** When the next frame is due; undefined before the first time. */
  private nextMs: number | undefined = undefined;
  private untimed = 0;

  /** `before`: what it takes the place of. Its track goes on where nothing but its description was repeated. */
  constructor(pulled: Extract<PulledTrack, { kind: 'audio' }>, before: SourceAudio | undefined) {
    this.codec = pulled.codec;
    this.config = pulled.config;
    this.timeBase = pulled.timeBase;
    if (before?.codec !== pulled.codec) return;
    this.track = before.track;
    this.clock = before.clock;
    this.nextMs = before.nextMs;
  }

  /** Throws `ProtocolError` for broken headers and payloads. */
  frames(time: number | undefined, payload: Uint8Array): SourceFrame[] {
    const { numerator, denominator } = this.timeBase;
    if (time !== undefined) this.nextMs = (time * numerator * 1000) / denominator;
    else if (this.nextMs === undefined && this.untimed++ < UNTIMED_FRAMES_MAX) return [];
    if (this.codec === 'aac' && isAdts(payload, this.config)) return this.adtsFrames(payload);
    this.describe(this.codec === 'mp3' ? mp3Header(payload) : this.codec === 'opus' ? opusHeader(this.config) : this.config, payload);
    return this.placed(payload);
  }

  private adtsFrames(packet: Uint8Array): SourceFrame[] {
    const frames: SourceFrame[] = [];
    let rest = packet;
    while (rest.length >= ADTS_HEADER_BYTES_MIN && frames.length < ADTS_FRAMES_MAX) {
      const { headerBytes, frameBytes, blocks, config } = parseAdtsHeader(rest);
      if (frameBytes > rest.length) throw bad(`an ADTS frame claims ${frameBytes} bytes but ${rest.length} are left`);
      if (blocks !== 1) throw bad(`an ADTS frame has ${blocks} raw data blocks; 1 is taken`);
      this.describe(config, packet);
      frames.push(...this.placed(rest.subarray(headerBytes, frameBytes)));
      rest = rest.subarray(frameBytes);
    }
    return frames;
  }

  private placed(payload: Uint8Array): SourceFrame[] {
    const { track, clock } = this;
    if (track === undefined || clock === undefined || payload.length === 0) return [];
    const ticks = audioFrameTicks(track, payload);
    const beginMs = this.nextMs ?? 0;
    const at = clock.place(beginMs, ticks);
    this.nextMs = beginMs + (ticks * 1000) / track.timescale;
    return at === undefined ? [] : [{ track, dts: mediaTime(at), pts: mediaTime(at), isKeyframe: true, payload }];
  }

  private describe(header: Uint8Array, payload: Uint8Array): void {
    if (this.header !== undefined && sameBytes(this.header, header)) return;
    const track = audioTrack(AUDIO_TRACK_ID, this.codec, this.codec === 'mp3' ? payload : header);
    this.header = header;
    if (this.track !== undefined && sameConfiguration(this.track, track)) return;
    this.track = track;
    this.clock = new AudioClock(track.timescale, audioClockLimitsDefault);
  }
}

/** A raw_data_block may begin with the syncword, too: with a configuration record, the lengths have to be right as well. */
function isAdts(payload: Uint8Array, config: Uint8Array): boolean {
  const [first = 0, second = 0, , fourth = 0, fifth = 0, sixth = 0] = payload;
  if (payload.length < ADTS_HEADER_BYTES_MIN || first !== 0xff || (second & 0xf6) !== 0xf0) return false;
  return config.length === 0 || (((fourth & 3) << 11) | (fifth << 3) | (sixth >> 5)) === payload.length;
}

/** What makes another track when it changes: version, layer, sample rate, channel mode. */
const mp3Header = (payload: Uint8Array): Uint8Array =>
  Uint8Array.of((payload[1] ?? 0) & 0xfe, (payload[2] ?? 0) & 0x0c, (payload[3] ?? 0) & 0xc0);

/** Opus over RTP comes without a record: decoders take each packet as it is (RFC 7587 section 7). */
const opusHeader = (config: Uint8Array): Uint8Array =>
  config.length > 0
    ? config
    : buildOpusHead({
        channels: 2,
        preSkip: 0,
        inputSampleRate: OPUS_SAMPLE_RATE,
        outputGain: 0,
        mappingFamily: 0,
        mapping: new Uint8Array(),
      });

const bad = (message: string): ProtocolError => new ProtocolError('media.bad-adts-header', message);
