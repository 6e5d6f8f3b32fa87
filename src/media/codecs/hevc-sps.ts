import { BitReader, ProtocolError } from '../../core/mod.ts';
import { checkDimensions, parsing, plausibleFrameRate } from './malformed.ts';
import { withoutEmulationPrevention } from './nal-units.ts';

const BAD_CONFIG = 'media.bad-hevc-config';
const NAL_SPS = 33;
const SHORT_TERM_SETS_MAX = 64;
const LONG_TERM_PICTURES_MAX = 32;
const DELTA_PICTURES_MAX = 16;
const SUB_LAYERS_MAX = 7;
const GENERAL_BYTES = 12;
const BIT_DEPTH_MAX = 15;
/** A decoded picture buffer holds 16 pictures, the current one among them (A.4.2). */
const REORDER_PICTURES_MAX = 15;

/** The part of a sequence parameter set (ITU-T H.265 7.3.2.2) that others need. Sizes are within the conformance window, in pixels. */
export interface HevcSps {
  readonly width: number;
  readonly height: number;
  /** From the VUI timing where it is there and believable. */
  readonly frameRate?: number;
  /** sps_max_num_reorder_pics of the highest temporal sub-layer: how many pictures may be decoded before one that is shown earlier. */
  readonly reorderDepth?: number;
}

/** Parses a whole SPS NAL unit, with its header and emulation prevention; throws `media.bad-hevc-config`. */
export function parseHevcSps(unit: Uint8Array): HevcSps {
  return parsing(BAD_CONFIG, 'sequence parameter set', () => {
    const bits = new BitReader(withoutEmulationPrevention(unit));
    const type = (bits.bits(16) >> 9) & 63;
    if (type !== NAL_SPS) throw new ProtocolError(BAD_CONFIG, `NAL unit type is ${type}; an SPS is ${NAL_SPS}`);
    bits.skip(4); // sps_video_parameter_set_id
    const subLayers = bits.bits(3) + 1;
    if (subLayers > SUB_LAYERS_MAX) throw new ProtocolError(BAD_CONFIG, `${subLayers} sub-layers; at most ${SUB_LAYERS_MAX} are defined`);
    bits.skip(1); // sps_temporal_id_nesting_flag
    skipProfileTierLevel(bits, subLayers);
    bits.ue(); // sps_seq_parameter_set_id
    const { width, height } = pictureSize(bits);
    return { width, height, ...timingBehindSize(bits, subLayers) };
  });
}

/** What an hvcC repeats of a sequence parameter set. */
export interface HevcSpsFormat {
  /** The 12 bytes of general profile, tier, compatibility, constraints and level (7.3.3). */
  readonly general: Uint8Array;
  readonly subLayers: number;
  readonly isTemporalIdNested: boolean;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

/** Parses a whole SPS NAL unit as {@link parseHevcSps} does; throws `media.bad-hevc-config`. */
export function parseHevcSpsFormat(unit: Uint8Array): HevcSpsFormat {
  parseHevcSps(unit); // type, number of sub-layers and picture size are right
  return parsing(BAD_CONFIG, 'sequence parameter set', () => {
    const content = withoutEmulationPrevention(unit);
    const bits = new BitReader(content);
    bits.skip(16 + 4); // NAL unit header, sps_video_parameter_set_id
    const subLayers = bits.bits(3) + 1;
    const isTemporalIdNested = bits.flag();
    const general = content.slice(bits.offsetBits / 8, bits.offsetBits / 8 + GENERAL_BYTES);
    skipProfileTierLevel(bits, subLayers);
    bits.ue(); // sps_seq_parameter_set_id
    const { chromaFormat } = pictureSize(bits);
    const bitDepthLuma = bounded(bits.ue() + 8, BIT_DEPTH_MAX, 'the luma bit depth');
    const bitDepthChroma = bounded(bits.ue() + 8, BIT_DEPTH_MAX, 'the chroma bit depth');
    return { general, subLayers, isTemporalIdNested, chromaFormat, bitDepthLuma, bitDepthChroma };
  });
}

/** profile_tier_level(1, subLayers - 1) of 7.3.3. */
function skipProfileTierLevel(bits: BitReader, subLayers: number): void {
  bits.skip(96);
  if (subLayers === 1) return;
  let subLayerBits = 0;
  // Flags are there for eight sub-layers less the highest, whatever number is in use.
  for (let layer = 0; layer < 8; layer += 1) {
    const hasProfile = bits.flag();
    const hasLevel = bits.flag();
    if (layer < subLayers - 1) subLayerBits += (hasProfile ? 88 : 0) + (hasLevel ? 8 : 0);
  }
  bits.skip(subLayerBits);
}

function pictureSize(bits: BitReader): { chromaFormat: number; width: number; height: number } {
  const chromaFormat = bits.ue();
  if (chromaFormat > 3) throw new ProtocolError(BAD_CONFIG, `chroma_format_idc is ${chromaFormat}; at most 3 is defined`);
  if (chromaFormat === 3) bits.skip(1); // separate_colour_plane_flag
  let width = bits.ue();
  let height = bits.ue();
  checkDimensions(BAD_CONFIG, width, height);
  if (bits.flag()) {
    // SubWidthC and SubHeightC of table 6-1.
    width -= (bits.ue() + bits.ue()) * (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1);
    height -= (bits.ue() + bits.ue()) * (chromaFormat === 1 ? 2 : 1);
    checkDimensions(BAD_CONFIG, width, height);
  }
  return { chromaFormat, width, height };
}

interface Timing {
  frameRate?: number;
  reorderDepth?: number;
}

/** Reads on to the VUI timing. Whatever is odd on the way (extensions, a short VUI) costs what stands behind it only, not the stream. */
function timingBehindSize(bits: BitReader, subLayers: number): Timing {
  const timing: Timing = {};
  try {
    bits.ue(); // bit depths
    bits.ue();
    const orderCountBits = bits.ue() + 4;
    const reorderDepth = readOrdering(bits, subLayers);
    if (reorderDepth <= REORDER_PICTURES_MAX) timing.reorderDepth = reorderDepth;
    skipCodingTools(bits, orderCountBits);
    const frameRate = bits.flag() ? vuiFrameRate(bits) : undefined;
    if (frameRate !== undefined) timing.frameRate = frameRate;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return timing;
}

/** The ordering of each sub-layer, or of the highest alone; gives sps_max_num_reorder_pics of the highest. */
function readOrdering(bits: BitReader, subLayers: number): number {
  const orderings = bits.flag() ? subLayers : 1;
  let reorderDepth = 0;
  for (let ordering = 0; ordering < orderings; ordering += 1) {
    bits.ue(); // sps_max_dec_pic_buffering_minus1
    reorderDepth = bits.ue();
    bits.ue(); // sps_max_latency_increase_plus1
  }
  return reorderDepth;
}

/** Everything behind the ordering of sub-layers up to vui_parameters_present_flag. */
function skipCodingTools(bits: BitReader, orderCountBits: number): void {
  for (let value = 0; value < 6; value += 1) bits.ue(); // block sizes and transform depths
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // PCM bit depths
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  skipShortTermSets(bits);
  if (bits.flag()) {
    const pictures = bounded(bits.ue(), LONG_TERM_PICTURES_MAX, 'num_long_term_ref_pics_sps');
    for (let picture = 0; picture < pictures; picture += 1) bits.skip(orderCountBits + 1);
  }
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

/** scaling_list_data() of 7.3.4. */
function skipScalingLists(bits: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId += 1) {
    const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)));
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) bits.se();
      for (let index = 0; index < coefficients; index += 1) bits.se();
    }
  }
}

/** st_ref_pic_set() of 7.3.7 for each set; a set may be told as a change of the one before it. */
function skipShortTermSets(bits: BitReader): void {
  const sets = bounded(bits.ue(), SHORT_TERM_SETS_MAX, 'num_short_term_ref_pic_sets');
  let deltaPictures = 0;
  for (let set = 0; set < sets; set += 1) {
    deltaPictures = set > 0 && bits.flag() ? predictedSet(bits, deltaPictures) : explicitSet(bits);
  }
}

function predictedSet(bits: BitReader, reference: number): number {
  bits.skip(1); // delta_rps_sign
  bits.ue();
  let deltaPictures = 0;
  for (let picture = 0; picture <= reference; picture += 1) {
    const isUsed = bits.flag();
    if (isUsed || bits.flag()) deltaPictures += 1;
  }
  return bounded(deltaPictures, DELTA_PICTURES_MAX, 'NumDeltaPocs');
}

function explicitSet(bits: BitReader): number {
  const deltaPictures = bounded(bits.ue() + bits.ue(), DELTA_PICTURES_MAX, 'NumDeltaPocs');
  for (let picture = 0; picture < deltaPictures; picture += 1) {
    bits.ue();
    bits.skip(1);
  }
  return deltaPictures;
}

function bounded(value: number, limit: number, name: string): number {
  if (value <= limit) return value;
  throw new ProtocolError(BAD_CONFIG, `${name} is ${value}; at most ${limit} is defined`);
}

/** vui_parameters() of E.2.1 up to the timing. */
function vuiFrameRate(bits: BitReader): number | undefined {
  if (bits.flag() && bits.bits(8) === 255) bits.skip(32); // sample aspect ratio, extended
  if (bits.flag()) bits.skip(1); // overscan
  if (bits.flag()) {
    bits.skip(4); // video_format, video_full_range_flag
    if (bits.flag()) bits.skip(24); // colour description
  }
  if (bits.flag()) {
    bits.ue(); // chroma sample location, top and bottom field
    bits.ue();
  }
  bits.skip(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
  if (bits.flag()) for (let side = 0; side < 4; side += 1) bits.ue(); // default display window
  if (!bits.flag()) return undefined;
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  // A tick is a picture's time, and each picture (also a field) is an access unit of its own.
  return plausibleFrameRate(timeScale, unitsInTick);
}
