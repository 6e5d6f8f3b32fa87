import { BitReader, ByteReader, ByteWriter, ProtocolError } from '../../core/mod.ts';
import { readH264Vui } from './h264-vui.ts';
import { checkDimensions, PARAMETER_SETS_MAX, parsing } from './malformed.ts';
import { type NalLengthSize, nalLengthSize, scanNalUnits, withoutEmulationPrevention } from './nal-units.ts';

const BAD_CONFIG = 'media.bad-h264-config';
const PARAMETER_SET_BYTES_MAX = 65_535;
/** An avcC counts SPS in five bits. */
const SPS_MAX = 31;
const NAL_SLICE_MIN = 1;
const NAL_SLICE_PARTITION_MAX = 4;
const NAL_IDR = 5;
const NAL_SPS = 7;
/** The profiles whose SPS carries chroma format, bit depths and scaling lists (ITU-T H.264 7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** The profiles for which an avcC ends with chroma format and bit depths (ISO/IEC 14496-15 5.3.3.1.2). */
const EXTENDED_RECORD_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 144]);

const PROFILE_BASELINE = 66;
const PROFILE_CAVLC_444_INTRA = 44;
const PROFILES_WITH_SET5: ReadonlySet<number> = new Set([77, 88, 100]);
const PROFILES_WITH_INTRA: ReadonlySet<number> = new Set([86, 100, 110, 122, 244]);
const CONSTRAINT_SET3 = 0x10;
const CONSTRAINT_SET5 = 0x04;

/** What an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) says. Parameter sets share the record's memory. */
export interface H264Config {
  readonly profile: number;
  /** The constraint flags byte. */
  readonly profileCompatibility: number;
  readonly level: number;
  readonly lengthSize: NalLengthSize;
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/** The part of a sequence parameter set (ITU-T H.264 7.3.2.1.1) that others need. Sizes are after cropping, in pixels. */
export interface H264Sps {
  readonly profile: number;
  readonly constraints: number;
  readonly level: number;
  readonly width: number;
  readonly height: number;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** From the VUI timing where it is there and believable; sample aspect ratio is ignored. */
  readonly frameRate?: number;
  /** How many pictures may come before one in decoding order and after it in output order; absent when the SPS does not tell. */
  readonly reorderDepth?: number;
}

/** Parses an avcC box's content; throws `media.bad-h264-config`, also when it holds no SPS or more than 64 parameter sets. */
export function parseH264Config(record: Uint8Array): H264Config {
  return parsing(BAD_CONFIG, 'AVCDecoderConfigurationRecord', () => {
    const reader = new ByteReader(record);
    const version = reader.u8();
    if (version !== 1) throw new ProtocolError(BAD_CONFIG, `configurationVersion is ${version}; it must be 1`);
    const profile = reader.u8();
    const profileCompatibility = reader.u8();
    const level = reader.u8();
    const lengthSize = nalLengthSize(BAD_CONFIG, (reader.u8() & 3) + 1);
    const sps = parameterSets(reader, reader.u8() & 31);
    const pps = parameterSets(reader, reader.u8());
    if (sps.length === 0) throw new ProtocolError(BAD_CONFIG, 'the record holds no SPS; send parameter sets out of band');
    if (sps.length + pps.length > PARAMETER_SETS_MAX) throw tooManySets(sps.length + pps.length);
    return { profile, profileCompatibility, level, lengthSize, sps, pps };
  });
}

function parameterSets(reader: ByteReader, count: number): Uint8Array[] {
  if (count > PARAMETER_SETS_MAX) throw tooManySets(count);
  return Array.from({ length: count }, () => reader.slice(reader.u16()));
}

function tooManySets(count: number): ProtocolError {
  return new ProtocolError(BAD_CONFIG, `${count} parameter sets; at most ${PARAMETER_SETS_MAX} are accepted`);
}

/** An avcC with 4-byte lengths from whole SPS and PPS NAL units, newly made; throws `media.bad-h264-config` for a bad first SPS. */
export function buildH264Config(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const first = sps[0];
  if (first === undefined) throw new ProtocolError(BAD_CONFIG, 'an avcC needs at least one SPS');
  if (sps.length > SPS_MAX || sps.length + pps.length > PARAMETER_SETS_MAX) throw tooManySets(sps.length + pps.length);
  const oversized = [...sps, ...pps].find((unit) => unit.length > PARAMETER_SET_BYTES_MAX);
  if (oversized !== undefined) {
    throw new ProtocolError(
      BAD_CONFIG,
      `a parameter set of ${oversized.length} bytes; at most ${PARAMETER_SET_BYTES_MAX} fit into an avcC`,
    );
  }
  const parsed = parseH264Sps(first);
  const writer = new ByteWriter();
  writer.u8(1).u8(parsed.profile).u8(parsed.constraints).u8(parsed.level).u8(0xff);
  writer.u8(0xe0 | sps.length);
  for (const unit of sps) writer.u16(unit.length).put(unit);
  writer.u8(pps.length);
  for (const unit of pps) writer.u16(unit.length).put(unit);
  if (EXTENDED_RECORD_PROFILES.has(parsed.profile)) {
    writer.u8(0xfc | parsed.chromaFormat).u8(0xf8 | (parsed.bitDepthLuma - 8));
    writer.u8(0xf8 | (parsed.bitDepthChroma - 8)).u8(0);
  }
  return writer.finish();
}

/** `avc1.PPCCLL` (RFC 6381 3.3). */
export function h264CodecString(config: Pick<H264Config, 'profile' | 'profileCompatibility' | 'level'>): string {
  return `avc1.${[config.profile, config.profileCompatibility, config.level].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Parses a whole SPS NAL unit, with its header and emulation prevention; throws `media.bad-h264-config`. */
export function parseH264Sps(unit: Uint8Array): H264Sps {
  return parsing(BAD_CONFIG, 'sequence parameter set', () => {
    const bits = new BitReader(withoutEmulationPrevention(unit));
    const type = bits.bits(8) & 31;
    if (type !== NAL_SPS) throw new ProtocolError(BAD_CONFIG, `NAL unit type is ${type}; an SPS is ${NAL_SPS}`);
    const profile = bits.bits(8);
    const constraints = bits.bits(8);
    const level = bits.bits(8);
    bits.ue(); // seq_parameter_set_id
    const samples = sampleFormat(bits, profile);
    const orderCountType = readReferenceSetup(bits);
    const size = croppedSize(bits, samples.separatePlanes ? 0 : samples.chromaFormat);
    const { reorderFramesMax, ...timing } = bits.flag() ? readH264Vui(bits) : {};
    const isInOrder = orderCountType === 2 || hasNoReordering(profile, constraints);
    const reorderDepth = isInOrder ? 0 : reorderFramesMax;
    const { chromaFormat, bitDepthLuma, bitDepthChroma } = samples;
    const sps = { profile, constraints, level, ...size, chromaFormat, bitDepthLuma, bitDepthChroma, ...timing };
    return reorderDepth === undefined ? sps : { ...sps, reorderDepth };
  });
}

/**
 * Whether the profile alone says that pictures come in output order: Baseline and Constrained High have no B slices (A.2.1; A.2.2 and
 * A.2.4: constraint_set5_flag), intra profiles (constraint_set3_flag) no prediction between pictures (E.2.1, max_num_reorder_frames).
 */
function hasNoReordering(profile: number, constraints: number): boolean {
  if (profile === PROFILE_BASELINE || profile === PROFILE_CAVLC_444_INTRA) return true;
  if (PROFILES_WITH_SET5.has(profile) && (constraints & CONSTRAINT_SET5) !== 0) return true;
  return PROFILES_WITH_INTRA.has(profile) && (constraints & CONSTRAINT_SET3) !== 0;
}

/**
 * How many pictures of a stream with this avcC may be decoded before one that is shown earlier: 0 means that there are no
 * reordered frames (B-frames), `undefined` that the record does not tell. The largest of all its SPS. Never throws.
 */
export function h264ReorderDepth(config: Uint8Array): number | undefined {
  try {
    const depths = parseH264Config(config).sps.map((unit) => parseH264Sps(unit).reorderDepth);
    return depths.reduce((largest, depth) => (largest === undefined || depth === undefined ? undefined : Math.max(largest, depth)), 0);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

interface SampleFormat {
  readonly chromaFormat: number;
  readonly separatePlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

function sampleFormat(bits: BitReader, profile: number): SampleFormat {
  if (!HIGH_PROFILES.has(profile)) return { chromaFormat: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };
  const chromaFormat = bits.ue();
  if (chromaFormat > 3) throw new ProtocolError(BAD_CONFIG, `chroma_format_idc is ${chromaFormat}; at most 3 is defined`);
  const separatePlanes = chromaFormat === 3 && bits.flag();
  const bitDepthLuma = bits.ue() + 8;
  const bitDepthChroma = bits.ue() + 8;
  if (bitDepthLuma > 14 || bitDepthChroma > 14) {
    throw new ProtocolError(BAD_CONFIG, `bit depths are ${bitDepthLuma} and ${bitDepthChroma}; at most 14 is defined`);
  }
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let list = 0; list < lists; list += 1) {
      if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  return { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma };
}

/** scaling_list() of ITU-T H.264 7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let index = 0; index < size; index += 1) {
    const next = (last + bits.se() + 256) & 255;
    if (next === 0) return;
    last = next;
  }
}

/** Everything from log2_max_frame_num_minus4 up to the picture size; gives pic_order_cnt_type: 2 means output in decoding order. */
function readReferenceSetup(bits: BitReader): number {
  bits.ue();
  const orderCountType = bits.ue();
  if (orderCountType === 0) bits.ue();
  else if (orderCountType === 1) {
    bits.skip(1);
    bits.se();
    bits.se();
    const cycle = bits.ue();
    if (cycle > 255) throw new ProtocolError(BAD_CONFIG, `num_ref_frames_in_pic_order_cnt_cycle is ${cycle}; at most 255 is defined`);
    for (let index = 0; index < cycle; index += 1) bits.se();
  }
  bits.ue(); // max_num_ref_frames
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  return orderCountType;
}

/** The picture size in luma samples less the cropping rectangle (equations 7-18 to 7-21). */
function croppedSize(bits: BitReader, chromaArrayType: number): { width: number; height: number } {
  const codedWidth = (bits.ue() + 1) * 16;
  const mapUnits = bits.ue() + 1;
  const fieldsFactor = bits.flag() ? 1 : 2;
  if (fieldsFactor === 2) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  const codedHeight = mapUnits * 16 * fieldsFactor;
  let width = codedWidth;
  let height = codedHeight;
  if (bits.flag()) {
    const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
    const unitY = (chromaArrayType === 1 ? 2 : 1) * fieldsFactor;
    width -= (bits.ue() + bits.ue()) * unitX;
    height -= (bits.ue() + bits.ue()) * unitY;
  }
  checkDimensions(BAD_CONFIG, width, height);
  checkDimensions(BAD_CONFIG, codedWidth, codedHeight);
  return { width, height };
}

/**
 * Whether an access unit with 4-byte NAL unit lengths is an IDR picture, where decoding can start. A recovery-point SEI alone
 * does not make one: players start on sync samples only. Never throws; broken payloads are no keyframes.
 */
export function isH264Keyframe(payload: Uint8Array): boolean {
  return scanNalUnits(payload, (firstByte) => {
    const type = firstByte & 31;
    if (type === NAL_IDR) return true;
    return type >= NAL_SLICE_MIN && type <= NAL_SLICE_PARTITION_MAX ? false : undefined;
  });
}
