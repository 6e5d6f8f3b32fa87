import { ByteReader, ProtocolError } from '../../core/mod.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { PARAMETER_SETS_MAX, parsing } from './malformed.ts';
import { type NalLengthSize, nalLengthSize, scanNalUnits } from './nal-units.ts';

const BAD_CONFIG = 'media.bad-hevc-config';
const NAL_VCL_MAX = 31;
const NAL_IRAP_MIN = 16;
const NAL_IRAP_MAX = 23;
const NAL_VPS = 32;
const NAL_SPS = 33;
const NAL_PPS = 34;
/** Where numOfArrays stands in an hvcC. */
const ARRAYS_OFFSET = 22;
const COMPATIBILITY_BITS = 32;

/** What an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1) says. Parameter sets share the record's memory. */
export interface HevcConfig {
  readonly profileSpace: number;
  readonly isHighTier: boolean;
  readonly profile: number;
  /** general_profile_compatibility_flags as one unsigned 32-bit number, flag 0 highest. */
  readonly profileCompatibility: number;
  /** The 48 general_constraint_indicator_flags. */
  readonly constraints: Uint8Array;
  /** Thirty times the level: 93 is level 3.1. */
  readonly level: number;
  readonly lengthSize: NalLengthSize;
  readonly sps: readonly Uint8Array[];
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
}

/** Parses an hvcC box's content with its first SPS; throws `media.bad-hevc-config`, also without SPS or above 64 parameter sets. */
export function parseHevcConfig(record: Uint8Array): HevcConfig {
  return parsing(BAD_CONFIG, 'HEVCDecoderConfigurationRecord', () => {
    const reader = new ByteReader(record);
    const version = reader.u8();
    if (version !== 1) throw new ProtocolError(BAD_CONFIG, `configurationVersion is ${version}; it must be 1`);
    const space = reader.u8();
    const profileCompatibility = reader.u32();
    const constraints = reader.slice(6);
    const level = reader.u8();
    reader.skip(2 + 1 + 1 + 1 + 1 + 2); // min_spatial_segmentation, parallelism, chroma format, two bit depths, avgFrameRate
    const lengthSize = nalLengthSize(BAD_CONFIG, (reader.u8() & 3) + 1);
    const sps = parameterSets(reader, [NAL_SPS]);
    const first = sps[0];
    if (first === undefined) throw new ProtocolError(BAD_CONFIG, 'the record holds no SPS; send parameter sets out of band');
    const general = {
      profileSpace: space >> 6,
      isHighTier: (space & 0x20) !== 0,
      profile: space & 31,
      profileCompatibility,
      constraints,
      level,
    };
    return { ...general, lengthSize, sps, ...parseHevcSps(first) };
  });
}

/**
 * The VPS, SPS and PPS of an hvcC's content, in its order, as views that share memory; throws `media.bad-hevc-config`. SEI messages
 * in it are left out.
 */
export function hevcParameterSets(record: Uint8Array): readonly Uint8Array[] {
  return parsing(BAD_CONFIG, 'HEVCDecoderConfigurationRecord', () => {
    const reader = new ByteReader(record);
    reader.skip(ARRAYS_OFFSET);
    return parameterSets(reader, [NAL_VPS, NAL_SPS, NAL_PPS]);
  });
}

/**
 * How many pictures of a stream with this hvcC may be decoded before one that is shown earlier: 0 means that there are no reordered frames
 * (B-frames that refer to later pictures), `undefined` that the record does not tell. The largest of all its SPS. Never throws.
 */
export function hevcReorderDepth(config: Uint8Array): number | undefined {
  try {
    const depths = parseHevcConfig(config).sps.map((unit) => parseHevcSps(unit).reorderDepth);
    return depths.reduce((largest, depth) => (largest === undefined || depth === undefined ? undefined : Math.max(largest, depth)), 0);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** The sets of these types from numOfArrays on. */
function parameterSets(reader: ByteReader, types: readonly number[]): Uint8Array[] {
  const sets: Uint8Array[] = [];
  const arrays = reader.u8();
  let count = 0;
  for (let array = 0; array < arrays; array += 1) {
    const type = reader.u8() & 63;
    const units = reader.u16();
    count += units;
    if (count > PARAMETER_SETS_MAX || arrays > PARAMETER_SETS_MAX) {
      throw new ProtocolError(BAD_CONFIG, `${count} parameter sets in ${arrays} arrays; at most ${PARAMETER_SETS_MAX} are accepted`);
    }
    for (let unit = 0; unit < units; unit += 1) {
      const bytes = reader.slice(reader.u16());
      if (types.includes(type)) sets.push(bytes);
    }
  }
  return sets;
}

/** `hvc1.` with profile space and profile, reversed compatibility flags, tier and level, and constraints (ISO/IEC 14496-15 E.3). */
export function hevcCodecString(config: Omit<HevcConfig, 'lengthSize' | 'sps' | 'width' | 'height' | 'frameRate'>): string {
  const space = ['', 'A', 'B', 'C'][config.profileSpace] ?? '';
  const constraints = Array.from(config.constraints);
  while (constraints.at(-1) === 0) constraints.pop(); // trailing zero bytes may be left out
  return [
    'hvc1',
    `${space}${config.profile}`,
    hex(reversedBits(config.profileCompatibility)),
    `${config.isHighTier ? 'H' : 'L'}${config.level}`,
    ...constraints.map(hex),
  ].join('.');
}

const hex = (value: number): string => value.toString(16).toUpperCase();

function reversedBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < COMPATIBILITY_BITS; bit += 1) reversed = (reversed << 1) | ((value >>> bit) & 1);
  return reversed >>> 0;
}

/**
 * Whether an access unit with 4-byte NAL unit lengths is an intra random access point (IDR, CRA or BLA: nal_unit_type 16 to 23,
 * ITU-T H.265 table 7-1). Never throws; broken payloads are no keyframes.
 */
export function isHevcKeyframe(payload: Uint8Array): boolean {
  return scanNalUnits(payload, (firstByte) => {
    const type = (firstByte >> 1) & 63;
    return type <= NAL_VCL_MAX ? type >= NAL_IRAP_MIN && type <= NAL_IRAP_MAX : undefined;
  });
}
