import { BitReader } from '../../core/mod.ts';
import { checkDimensions, parsing, plausibleFrameRate } from './malformed.ts';

const BAD_CONFIG = 'media.bad-av1-config';
/** seq_force_screen_content_tools: SELECT_SCREEN_CONTENT_TOOLS. */
const SCREEN_CONTENT_SELECT = 2;
const COLOUR_BT709 = 1;
const TRANSFER_SRGB = 13;
const MATRIX_IDENTITY = 0;
/** The highest level without a tier bit: 3.3. */
const LEVEL_WITHOUT_TIER_MAX = 7;

/** The part of a sequence header OBU (AV1 specification 5.5) that others need. */
export interface Av1SequenceHeader {
  readonly profile: number;
  /** seq_level_idx of the first operating point: 5 is level 3.1. */
  readonly level: number;
  readonly tier: 0 | 1;
  readonly bitDepth: 8 | 10 | 12;
  readonly isMonochrome: boolean;
  readonly subsamplingX: 0 | 1;
  readonly subsamplingY: 0 | 1;
  readonly chromaSamplePosition: number;
  readonly isFullRange: boolean;
  /** `undefined` without color_description. */
  readonly colour: { readonly primaries: number; readonly transfer: number; readonly matrix: number } | undefined;
  /** The largest frame size, in pixels. */
  readonly width: number;
  readonly height: number;
  /** From timing_info with equal picture intervals, where it is there and believable. */
  readonly frameRate?: number;
}

/** Parses the content of a sequence header OBU (without OBU header); throws `media.bad-av1-config`. */
export function parseAv1SequenceHeader(content: Uint8Array): Av1SequenceHeader {
  return parsing(BAD_CONFIG, 'sequence header OBU', () => {
    const bits = new BitReader(content);
    const profile = bits.bits(3);
    bits.skip(1); // still_picture
    const isReduced = bits.flag();
    const { level, tier, frameRate } = isReduced ? { level: bits.bits(5), tier: 0 as const, frameRate: undefined } : operatingPoints(bits);
    const widthBits = bits.bits(4) + 1;
    const heightBits = bits.bits(4) + 1;
    const width = bits.bits(widthBits) + 1;
    const height = bits.bits(heightBits) + 1;
    checkDimensions(BAD_CONFIG, width, height);
    skipCodingTools(bits, isReduced);
    const header = { profile, level, tier, width, height, ...colorConfig(bits, profile) };
    return frameRate === undefined ? header : { ...header, frameRate };
  });
}

interface OperatingPoint {
  readonly level: number;
  readonly tier: 0 | 1;
  readonly frameRate: number | undefined;
}

/** From timing_info_present_flag through the operating points; the first one counts. */
function operatingPoints(bits: BitReader): OperatingPoint {
  let frameRate: number | undefined;
  let bufferDelayBits: number | undefined;
  if (bits.flag()) {
    frameRate = timingInfo(bits);
    if (bits.flag()) bufferDelayBits = decoderModelInfo(bits);
  }
  const hasInitialDelay = bits.flag();
  const points = bits.bits(5) + 1;
  let first: OperatingPoint | undefined;
  for (let point = 0; point < points; point += 1) {
    bits.skip(12); // operating_point_idc
    const level = bits.bits(5);
    const tier = level > LEVEL_WITHOUT_TIER_MAX && bits.flag() ? 1 : 0;
    if (bufferDelayBits !== undefined && bits.flag()) bits.skip(2 * bufferDelayBits + 1);
    if (hasInitialDelay && bits.flag()) bits.skip(4);
    first ??= { level, tier, frameRate };
  }
  return first ?? { level: 0, tier: 0, frameRate };
}

function timingInfo(bits: BitReader): number | undefined {
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  const isEqualInterval = bits.flag();
  return isEqualInterval ? plausibleFrameRate(timeScale, unitsInTick * (bits.ue() + 1)) : undefined;
}

/** decoder_model_info() of 5.5.4; returns the length of the delay fields in bits. */
function decoderModelInfo(bits: BitReader): number {
  const bufferDelayBits = bits.bits(5) + 1;
  bits.skip(32 + 5 + 5);
  return bufferDelayBits;
}

/** From frame ids up to enable_restoration. */
function skipCodingTools(bits: BitReader, isReduced: boolean): void {
  if (!isReduced && bits.flag()) bits.skip(4 + 3); // frame id lengths
  bits.skip(3); // 128x128 superblocks, filter intra, intra edge filter
  if (!isReduced) {
    bits.skip(4); // interintra, masked compound, warped motion, dual filter
    const hasOrderHint = bits.flag();
    if (hasOrderHint) bits.skip(2); // jnt_comp, ref_frame_mvs
    const screenContentTools = bits.flag() ? SCREEN_CONTENT_SELECT : bits.bits(1);
    // seq_choose_integer_mv, and seq_force_integer_mv where that is not left to choice
    if (screenContentTools > 0 && !bits.flag()) bits.skip(1);
    if (hasOrderHint) bits.skip(3);
  }
  bits.skip(3); // superres, cdef, restoration
}

type ColorConfig = Pick<
  Av1SequenceHeader,
  'bitDepth' | 'isMonochrome' | 'subsamplingX' | 'subsamplingY' | 'chromaSamplePosition' | 'isFullRange' | 'colour'
>;

/** color_config() of 5.5.2. */
function colorConfig(bits: BitReader, profile: number): ColorConfig {
  const isHighBitDepth = bits.flag();
  const bitDepth = isHighBitDepth ? (profile === 2 && bits.flag() ? 12 : 10) : 8;
  const isMonochrome = profile !== 1 && bits.flag();
  const colour = bits.flag() ? { primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8) } : undefined;
  const common = { bitDepth, isMonochrome, colour, chromaSamplePosition: 0 } as const;
  if (isMonochrome) return { ...common, subsamplingX: 1, subsamplingY: 1, isFullRange: bits.flag() };
  if (colour?.primaries === COLOUR_BT709 && colour.transfer === TRANSFER_SRGB && colour.matrix === MATRIX_IDENTITY) {
    return { ...common, subsamplingX: 0, subsamplingY: 0, isFullRange: true };
  }
  const isFullRange = bits.flag();
  const { subsamplingX, subsamplingY } = subsampling(bits, profile, bitDepth);
  const chromaSamplePosition = subsamplingX === 1 && subsamplingY === 1 ? bits.bits(2) : 0;
  return { ...common, subsamplingX, subsamplingY, chromaSamplePosition, isFullRange };
}

function subsampling(bits: BitReader, profile: number, bitDepth: number): Pick<ColorConfig, 'subsamplingX' | 'subsamplingY'> {
  if (profile === 0) return { subsamplingX: 1, subsamplingY: 1 };
  if (profile === 1) return { subsamplingX: 0, subsamplingY: 0 };
  if (bitDepth !== 12) return { subsamplingX: 1, subsamplingY: 0 };
  if (!bits.flag()) return { subsamplingX: 0, subsamplingY: 0 };
  return { subsamplingX: 1, subsamplingY: bits.flag() ? 1 : 0 };
}
