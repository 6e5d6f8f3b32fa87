import { assertNever, ProtocolError } from '../../core/mod.ts';
import type { AudioCodec, AudioTrack, Track, VideoCodec, VideoTrack } from '../track.ts';
import { parseAacConfig } from './aac.ts';
import { av1CodecString, av1SequenceObu, buildAv1Config, isAv1Keyframe, parseAv1Config, withoutTemporalDelimiters } from './av1.ts';
import { parseAv1SequenceHeader } from './av1-sequence.ts';
import { h264CodecString, isH264Keyframe, parseH264Config, parseH264Sps } from './h264.ts';
import { hevcCodecString, isHevcKeyframe, parseHevcConfig } from './hevc.ts';
import { parsing } from './malformed.ts';
import { MP3_CODEC_STRING, parseMp3Header } from './mp3.ts';
import { type NalLengthSize, toFourByteLengths } from './nal-units.ts';
import { buildDOps, opusPacketSamples, parseOpusConfig } from './opus.ts';
import { isVp8Keyframe, parseVp8Keyframe, vp8ConfigOf } from './vp8.ts';
import { buildVpConfig, isVp9Keyframe, parseVp9Keyframe, parseVpConfig, vpCodecString, vpConfigOf, vpLevel } from './vp9.ts';

const VIDEO_TIMESCALE = 90_000;
const OPUS_SAMPLE_RATE = 48_000;
/** The largest configuration record accepted: parameter sets are tens of bytes, so this is generous. */
const CONFIG_BYTES_MAX = 65_536;

/** Whether {@link videoTrack} cannot describe this codec from its configuration record alone and needs a keyframe too. */
export function needsKeyframe(codec: VideoCodec, config: Uint8Array): boolean {
  if (codec === 'vp8' || codec === 'vp9') return true;
  return codec === 'av1' && (config.length === 0 || parseAv1Config(config).sequence === undefined);
}

/**
 * The complete track that a configuration record describes (avcC, hvcC, av1C or vpcC content; borrowed, copied).
 * H.264 and HEVC records become ones with 4-byte lengths: payloads must be converted alike, see {@link toTrackPayload}.
 * VP8 and VP9 records do not tell the picture's size, nor does an av1C without sequence header: there `keyframe`, the first
 * keyframe's payload, is needed ({@link needsKeyframe}), and the record may be empty.
 * Throws `ProtocolError` with code `media.bad-<codec>-config`.
 */
export function videoTrack(id: number, codec: VideoCodec, config: Uint8Array, keyframe?: Uint8Array): VideoTrack {
  const code = `media.bad-${codec}-config`;
  checkConfigSize(code, config);
  const described = parsing(code, `${codec} configuration`, () => describeVideo(codec, config, keyframe));
  const { frameRate, ...rest } = described;
  const track = { kind: 'video', id, codec, timescale: VIDEO_TIMESCALE, ...rest } as const;
  return frameRate === undefined ? track : { ...track, frameRate };
}

interface VideoDescription {
  readonly config: Uint8Array;
  readonly codecString: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number | undefined;
}

function describeVideo(codec: VideoCodec, config: Uint8Array, keyframe: Uint8Array | undefined): VideoDescription {
  switch (codec) {
    case 'h264':
      return describeH264(config);
    case 'hevc':
      return describeHevc(config);
    case 'av1':
      return describeAv1(config, keyframe);
    case 'vp8':
      return describeVp8(config, keyframe);
    case 'vp9':
      return describeVp9(config, keyframe);
    default:
      return assertNever(codec);
  }
}

function describeH264(config: Uint8Array): VideoDescription {
  const parsed = parseH264Config(config);
  const [first] = parsed.sps;
  const { width, height, frameRate } = parseH264Sps(first ?? new Uint8Array());
  return { config: withFourByteLengths(config, 4), codecString: h264CodecString(parsed), width, height, frameRate };
}

function describeHevc(config: Uint8Array): VideoDescription {
  const parsed = parseHevcConfig(config);
  const { width, height, frameRate } = parsed;
  return { config: withFourByteLengths(config, 21), codecString: hevcCodecString(parsed), width, height, frameRate };
}

/** A copy of an avcC or hvcC with lengthSizeMinusOne 3 in the lowest bits of the byte at `offset`. */
function withFourByteLengths(config: Uint8Array, offset: number): Uint8Array {
  const copy = config.slice();
  copy[offset] = (copy[offset] ?? 0) | 3;
  return copy;
}

function describeAv1(config: Uint8Array, keyframe: Uint8Array | undefined): VideoDescription {
  const parsed = config.length > 0 ? parseAv1Config(config) : undefined;
  if (parsed?.sequence !== undefined) return av1Description(parsed.sequence, config.slice());
  const obu = av1SequenceObu(required(keyframe, 'av1'));
  if (obu === undefined) throw new ProtocolError('media.bad-av1-config', 'neither the record nor the keyframe has a sequence header');
  return av1Description(parseAv1SequenceHeader(obu.content), buildAv1Config(obu));
}

function av1Description(sequence: ReturnType<typeof parseAv1SequenceHeader>, config: Uint8Array): VideoDescription {
  const { width, height, frameRate } = sequence;
  return { config, codecString: av1CodecString(sequence), width, height, frameRate };
}

function describeVp8(config: Uint8Array, keyframe: Uint8Array | undefined): VideoDescription {
  const header = parseVp8Keyframe(required(keyframe, 'vp8'));
  const record = config.length > 0 ? parseVpConfig(config, 'media.bad-vp8-config') : vp8ConfigOf(header);
  const { width, height } = header;
  return { config: buildVpConfig(record), codecString: vpCodecString('vp08', record), width, height };
}

function describeVp9(config: Uint8Array, keyframe: Uint8Array | undefined): VideoDescription {
  const header = parseVp9Keyframe(required(keyframe, 'vp9'));
  const given = config.length > 0 ? parseVpConfig(config) : vpConfigOf(header);
  const { profile, bitDepth, width, height } = header;
  // The bitstream is right where the two disagree; a level of 0 (unknown) would make players refuse the codec string.
  const record = { ...given, profile, bitDepth, level: given.level === 0 ? vpLevel(width, height) : given.level };
  return { config: buildVpConfig(record), codecString: vpCodecString('vp09', record), width, height };
}

function required(keyframe: Uint8Array | undefined, codec: VideoCodec): Uint8Array {
  if (keyframe !== undefined) return keyframe;
  throw new ProtocolError(`media.bad-${codec}-config`, `${codec} configuration does not tell the picture size; a keyframe is needed`);
}

/**
 * The complete audio track: `header` is an AudioSpecificConfig, an OpusHead or dOps content, or for MP3 the first frame
 * (borrowed, copied). AAC's timescale and sample rate are those that come out of a decoder. Throws `ProtocolError` with code
 * `media.bad-aac-config`, `media.bad-opus-config` or `media.bad-mp3-config`.
 */
export function audioTrack(id: number, codec: AudioCodec, header: Uint8Array): AudioTrack {
  const code = `media.bad-${codec}-config`;
  checkConfigSize(code, header);
  return parsing(code, `${codec} configuration`, () => ({ kind: 'audio', id, codec, ...describeAudio(codec, header) }));
}

function describeAudio(codec: AudioCodec, header: Uint8Array): Omit<AudioTrack, 'kind' | 'id' | 'codec'> {
  switch (codec) {
    case 'aac': {
      const { sampleRate, channels, codecString } = parseAacConfig(header);
      return { timescale: sampleRate, config: header.slice(), codecString, sampleRate, channels };
    }
    case 'opus': {
      const parsed = parseOpusConfig(header);
      const { channels } = parsed;
      return { timescale: OPUS_SAMPLE_RATE, config: buildDOps(parsed), codecString: 'opus', sampleRate: OPUS_SAMPLE_RATE, channels };
    }
    case 'mp3': {
      const { sampleRate, channels } = parseMp3Header(header);
      return { timescale: sampleRate, config: new Uint8Array(), codecString: MP3_CODEC_STRING, sampleRate, channels };
    }
    default:
      return assertNever(codec);
  }
}

function checkConfigSize(code: string, config: Uint8Array): void {
  if (config.length <= CONFIG_BYTES_MAX) return;
  throw new ProtocolError(code, `configuration of ${config.length} bytes; at most ${CONFIG_BYTES_MAX} are accepted`);
}

/** Ticks of one AAC frame by track, so that its configuration is read once and not for every frame. */
const aacFrameTicks = new WeakMap<AudioTrack, number>();

/**
 * How long an audio frame lasts, in ticks of its track's timescale. Throws `media.bad-opus-packet` or `media.bad-mp3-header`
 * when the payload itself has to tell and cannot.
 */
export function audioFrameTicks(track: AudioTrack, payload: Uint8Array): number {
  switch (track.codec) {
    case 'aac':
      return aacTicks(track);
    case 'opus':
      return opusPacketSamples(payload);
    case 'mp3':
      return parseMp3Header(payload).samplesPerFrame;
    default:
      return assertNever(track.codec);
  }
}

function aacTicks(track: AudioTrack): number {
  const known = aacFrameTicks.get(track);
  if (known !== undefined) return known;
  const { frameLength, coreSampleRate } = parseAacConfig(track.config);
  // With SBR a frame gives twice as many samples as its core has.
  const ticks = Math.round((frameLength * track.timescale) / coreSampleRate);
  aacFrameTicks.set(track, ticks);
  return ticks;
}

/** Whether decoding can start at a payload in the track's format (see `Track`). Never throws: broken payloads are no keyframes. */
export function isKeyframe(codec: VideoCodec, payload: Uint8Array): boolean {
  switch (codec) {
    case 'h264':
      return isH264Keyframe(payload);
    case 'hevc':
      return isHevcKeyframe(payload);
    case 'av1':
      return isAv1Keyframe(payload);
    case 'vp8':
      return isVp8Keyframe(payload);
    case 'vp9':
      return isVp9Keyframe(payload);
    default:
      return assertNever(codec);
  }
}

/** Bytes of the NAL unit lengths that an avcC or hvcC announces; 4 for the other codecs, which have none. Throws as {@link videoTrack}. */
export function payloadLengthSize(codec: VideoCodec, config: Uint8Array): NalLengthSize {
  if (codec === 'h264') return parseH264Config(config).lengthSize;
  return codec === 'hevc' ? parseHevcConfig(config).lengthSize : 4;
}

/**
 * A payload as it came (`lengthSize` from {@link payloadLengthSize} of the source's own record) in the track's format: lengths of
 * 4 bytes, no temporal delimiters. Gives back the same bytes where nothing changes. Throws `media.bad-nal-units` or `media.bad-av1-obus`.
 */
export function toTrackPayload(codec: VideoCodec, payload: Uint8Array, lengthSize: NalLengthSize): Uint8Array {
  if (codec === 'h264' || codec === 'hevc') return toFourByteLengths(payload, lengthSize);
  return codec === 'av1' ? withoutTemporalDelimiters(payload) : payload;
}

/** Whether frames of `b` can follow those of `a` without a new initialisation: all but the frame rate is the same. */
export function sameConfiguration(a: Track, b: Track): boolean {
  if (a === b) return true;
  if (a.id !== b.id || a.codec !== b.codec || a.codecString !== b.codecString || a.timescale !== b.timescale) return false;
  return sameShape(a, b) && a.config.length === b.config.length && a.config.every((byte, index) => byte === b.config[index]);
}

function sameShape(a: Track, b: Track): boolean {
  if (a.kind === 'video') return b.kind === 'video' && a.width === b.width && a.height === b.height;
  return b.kind === 'audio' && a.sampleRate === b.sampleRate && a.channels === b.channels;
}
