import { BitReader, ByteReader, ByteWriter, ProtocolError } from '../../core/mod.ts';
import { checkDimensions, parsing } from './malformed.ts';

const BAD_CONFIG = 'media.bad-vp9-config';
const BAD_FRAME = 'media.bad-vp9-frame';
const SYNC_CODE = 0x498342;
const COLOR_SPACE_RGB = 7;
/** CICP 2, unspecified: for colour primaries, transfer and matrix alike. */
const UNSPECIFIED = 2;
const CHROMA_420_VERTICAL = 0;
const CHROMA_422 = 2;
const CHROMA_444 = 3;
/** Level, its highest luma samples a second and largest luma picture (VP9 bitstream specification, annex A). */
const LEVELS: readonly (readonly [level: number, sampleRate: number, pictureSize: number])[] = [
  [10, 829_440, 36_864],
  [11, 2_764_800, 73_728],
  [20, 4_608_000, 122_880],
  [21, 9_216_000, 245_760],
  [30, 20_736_000, 552_960],
  [31, 36_864_000, 983_040],
  [40, 83_558_400, 2_228_224],
  [41, 160_432_128, 2_228_224],
  [50, 311_951_360, 8_912_896],
  [51, 588_251_136, 8_912_896],
  [52, 1_176_502_272, 8_912_896],
  [60, 1_176_502_272, 35_651_584],
  [61, 2_353_004_544, 35_651_584],
];
const LEVEL_MAX = 62;
/** Neither VP8 nor VP9 headers tell a frame rate; levels are chosen for this many frames a second. */
const ASSUMED_FRAME_RATE = 60;

/** What a vpcC box (VP Codec ISO Media File Format Binding 2.2) says, for VP8 and VP9. */
export interface VpConfig {
  readonly profile: number;
  /** Ten times the level: 31 is level 3.1; 0 when unknown. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0: 4:2:0 vertical, 1: 4:2:0 colocated, 2: 4:2:2, 3: 4:4:4. */
  readonly chromaSubsampling: number;
  readonly isFullRange: boolean;
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

/** A VP9 keyframe's format, from its uncompressed header. */
export interface Vp9Keyframe {
  readonly profile: number;
  readonly bitDepth: number;
  readonly chromaSubsampling: number;
  readonly isFullRange: boolean;
  readonly width: number;
  readonly height: number;
}

/**
 * Parses a vpcC box's content. Publishers leave the box's version and flags out at times: both forms are read.
 * Throws `media.bad-vp9-config`, or the given `code`.
 */
export function parseVpConfig(record: Uint8Array, code: string = BAD_CONFIG): VpConfig {
  return parsing(code, 'VPCodecConfigurationRecord', () => {
    const reader = new ByteReader(record);
    // Without its version and flags the record is 8 bytes: codecInitializationDataSize must be 0 for VP8 and VP9.
    if (record.length > 8) {
      const version = reader.u8();
      if (version !== 1) throw new ProtocolError(code, `version is ${version}; it must be 1`);
      reader.skip(3);
    }
    const profile = reader.u8();
    const level = reader.u8();
    const packed = reader.u8();
    const [colourPrimaries, transferCharacteristics, matrixCoefficients] = [reader.u8(), reader.u8(), reader.u8()];
    reader.u16();
    const bitDepth = packed >> 4;
    if (profile > 3 || (bitDepth !== 8 && bitDepth !== 10 && bitDepth !== 12)) {
      throw new ProtocolError(code, `profile ${profile} with ${bitDepth} bits; profiles 0 to 3 with 8, 10 or 12 bits are defined`);
    }
    const chromaSubsampling = (packed >> 1) & 7;
    const isFullRange = (packed & 1) === 1;
    return { profile, level, bitDepth, chromaSubsampling, isFullRange, colourPrimaries, transferCharacteristics, matrixCoefficients };
  });
}

/** The content of a vpcC box with version 1 and no flags, newly made. */
export function buildVpConfig(config: VpConfig): Uint8Array {
  const writer = new ByteWriter(12).u32(0x01000000).u8(config.profile).u8(config.level);
  writer.u8((config.bitDepth << 4) | (config.chromaSubsampling << 1) | (config.isFullRange ? 1 : 0));
  writer.u8(config.colourPrimaries).u8(config.transferCharacteristics).u8(config.matrixCoefficients).u16(0);
  return writer.finish();
}

/** The record that fits a keyframe of VP9, with unspecified colour and a level for its size at 60 frames a second. */
export function vpConfigOf(keyframe: Vp9Keyframe): VpConfig {
  const { profile, bitDepth, chromaSubsampling, isFullRange, width, height } = keyframe;
  const colour = { colourPrimaries: UNSPECIFIED, transferCharacteristics: UNSPECIFIED, matrixCoefficients: UNSPECIFIED };
  return { profile, level: vpLevel(width, height), bitDepth, chromaSubsampling, isFullRange, ...colour };
}

/** The lowest level that holds pictures of this size at 60 frames a second. */
export function vpLevel(width: number, height: number): number {
  const pictureSize = width * height;
  const fits = LEVELS.find(([, sampleRate, sizeMax]) => pictureSize <= sizeMax && pictureSize * ASSUMED_FRAME_RATE <= sampleRate);
  return fits?.[0] ?? LEVEL_MAX;
}

/**
 * `vp09.PP.LL.DD` or `vp08.PP.LL.DD` (VP Codec ISO Media File Format Binding, section Codecs Parameter String). Its optional
 * part follows for 4:2:2 and 4:4:4, where its default would be wrong.
 */
export function vpCodecString(fourcc: 'vp08' | 'vp09', config: VpConfig): string {
  const fields = [config.profile, config.level, config.bitDepth];
  if (config.chromaSubsampling > 1) {
    fields.push(config.chromaSubsampling, config.colourPrimaries, config.transferCharacteristics, config.matrixCoefficients);
    fields.push(config.isFullRange ? 1 : 0);
  }
  return [fourcc, ...fields.map((field) => String(field).padStart(2, '0'))].join('.');
}

/** Whether a VP9 frame or superframe starts with a keyframe. Never throws: broken frames are no keyframes. */
export function isVp9Keyframe(payload: Uint8Array): boolean {
  const first = payload[0] ?? 0;
  if (first >> 6 !== 2) return false; // frame_marker
  // Profile 3 (both bits set) has a reserved bit before show_existing_frame and frame_type.
  const shift = ((first >> 4) & 3) === 3 ? 1 : 2;
  return ((first >> shift) & 3) === 0;
}

/** Parses a VP9 keyframe's uncompressed_header() (VP9 bitstream specification 6.2); throws `media.bad-vp9-frame`. */
export function parseVp9Keyframe(payload: Uint8Array): Vp9Keyframe {
  return parsing(BAD_FRAME, 'VP9 uncompressed header', () => {
    if (!isVp9Keyframe(payload)) throw new ProtocolError(BAD_FRAME, 'the frame is not a keyframe; wait for one to know the picture');
    const bits = new BitReader(payload);
    bits.skip(2); // frame_marker
    const profile = bits.bits(1) | (bits.bits(1) << 1);
    bits.skip(profile === 3 ? 1 : 0);
    bits.skip(4); // show_existing_frame, frame_type, show_frame, error_resilient_mode
    const sync = bits.bits(24);
    if (sync !== SYNC_CODE) throw new ProtocolError(BAD_FRAME, `frame sync code is 0x${sync.toString(16)}; it must be 0x498342`);
    const colour = colorConfig(bits, profile);
    const width = bits.bits(16) + 1;
    const height = bits.bits(16) + 1;
    checkDimensions(BAD_FRAME, width, height);
    return { profile, ...colour, width, height };
  });
}

/** color_config() of 6.2.2. */
function colorConfig(bits: BitReader, profile: number): Pick<Vp9Keyframe, 'bitDepth' | 'chromaSubsampling' | 'isFullRange'> {
  const bitDepth = profile >= 2 ? (bits.flag() ? 12 : 10) : 8;
  const hasChromaFields = profile === 1 || profile === 3;
  if (bits.bits(3) === COLOR_SPACE_RGB) {
    if (!hasChromaFields) throw new ProtocolError(BAD_FRAME, `RGB in profile ${profile}; only profiles 1 and 3 allow it`);
    bits.skip(1);
    return { bitDepth, chromaSubsampling: CHROMA_444, isFullRange: true };
  }
  const isFullRange = bits.flag();
  if (!hasChromaFields) return { bitDepth, chromaSubsampling: CHROMA_420_VERTICAL, isFullRange };
  const isHalfWidth = bits.flag();
  bits.skip(2); // subsampling_y, reserved
  return { bitDepth, chromaSubsampling: isHalfWidth ? CHROMA_422 : CHROMA_444, isFullRange };
}
