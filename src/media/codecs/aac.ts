import { BitReader, ProtocolError } from '../../core/mod.ts';
import { parsing } from './malformed.ts';

const BAD_CONFIG = 'media.bad-aac-config';
const BAD_ADTS = 'media.bad-adts-header';
const SAMPLE_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const SAMPLE_RATE_MAX = 192_000;
/** Channels by channelConfiguration (ISO/IEC 14496-3 table 1.19 with amendments); 0: a program_config_element tells. */
const CHANNELS: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 13: 24, 14: 8 };
const OBJECT_TYPE_MAIN = 1;
const OBJECT_TYPE_LTP = 4;
const OBJECT_TYPE_SBR = 5;
const OBJECT_TYPE_BSAC = 22;
const OBJECT_TYPE_PS = 29;
const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;

/** What an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) says. */
export interface AacConfig {
  /** The core's audio object type: 1 Main, 2 LC, 3 SSR, 4 LTP. */
  readonly objectType: number;
  /** The core's samples a second; half of `sampleRate` for most HE-AAC. */
  readonly coreSampleRate: number;
  /** Samples a second that come out of a decoder, spectral band replication counted where it is signalled. */
  readonly sampleRate: number;
  /** Channels that come out of a decoder, parametric stereo counted where it is signalled. */
  readonly channels: number;
  /** Samples of the core in one raw_data_block: 1024 or 960. */
  readonly frameLength: 1024 | 960;
  readonly hasSbr: boolean;
  readonly hasPs: boolean;
  /** `mp4a.40.N`: 29 with parametric stereo, 5 with SBR, else the object type. */
  readonly codecString: string;
}

/**
 * Parses an AudioSpecificConfig; throws `media.bad-aac-config`. SBR and PS are found by hierarchical and by backward
 * compatible signalling. Object types but AAC Main, LC, SSR and LTP are refused: no player of ours could show them.
 */
export function parseAacConfig(config: Uint8Array): AacConfig {
  return parsing(BAD_CONFIG, 'AudioSpecificConfig', () => {
    const bits = new BitReader(config);
    let objectType = audioObjectType(bits);
    const coreSampleRate = samplingFrequency(bits);
    const channelConfiguration = bits.bits(4);
    let extension: Extension = { sampleRate: coreSampleRate, hasSbr: false, hasPs: false };
    const isHierarchical = objectType === OBJECT_TYPE_SBR || objectType === OBJECT_TYPE_PS;
    if (isHierarchical) {
      extension = { sampleRate: samplingFrequency(bits), hasSbr: true, hasPs: objectType === OBJECT_TYPE_PS };
      objectType = audioObjectType(bits);
      if (objectType === OBJECT_TYPE_BSAC) bits.skip(4);
    }
    if (objectType < OBJECT_TYPE_MAIN || objectType > OBJECT_TYPE_LTP) {
      throw new ProtocolError(
        BAD_CONFIG,
        `audio object type ${objectType} is not supported; send AAC-LC (2), optionally with SBR (5) or PS (29)`,
      );
    }
    const { frameLength, channels } = gaSpecificConfig(bits, channelConfiguration);
    if (!isHierarchical) extension = syncExtension(bits, extension);
    return {
      objectType,
      coreSampleRate,
      sampleRate: extension.sampleRate,
      channels: extension.hasPs && channels === 1 ? 2 : channels,
      frameLength,
      hasSbr: extension.hasSbr,
      hasPs: extension.hasPs,
      codecString: `mp4a.40.${extension.hasPs ? OBJECT_TYPE_PS : extension.hasSbr ? OBJECT_TYPE_SBR : objectType}`,
    };
  });
}

interface Extension {
  readonly sampleRate: number;
  readonly hasSbr: boolean;
  readonly hasPs: boolean;
}

function audioObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

function samplingFrequency(bits: BitReader): number {
  const index = bits.bits(4);
  const rate = index === 15 ? bits.bits(24) : (SAMPLE_RATES[index] ?? 0);
  if (rate < 1 || rate > SAMPLE_RATE_MAX) {
    throw new ProtocolError(BAD_CONFIG, `sampling frequency index ${index} gives ${rate} Hz; 1 to ${SAMPLE_RATE_MAX} is accepted`);
  }
  return rate;
}

/** GASpecificConfig (4.4.1) for object types 1 to 4. */
function gaSpecificConfig(bits: BitReader, channelConfiguration: number): { frameLength: 1024 | 960; channels: number } {
  const frameLength = bits.flag() ? 960 : 1024;
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  bits.skip(1); // extensionFlag: says nothing for these object types
  const channels = channelConfiguration === 0 ? programConfigElement(bits) : (CHANNELS[channelConfiguration] ?? 0);
  if (channels === 0)
    throw new ProtocolError(BAD_CONFIG, `channelConfiguration ${channelConfiguration} means no channels; 1 to 7 and 11 to 14 do`);
  return { frameLength, channels };
}

/** program_config_element (4.4.1.1); returns its number of channels. */
function programConfigElement(bits: BitReader): number {
  bits.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const channelElements = bits.bits(4) + bits.bits(4) + bits.bits(4); // front, side, back
  const lowFrequencyElements = bits.bits(2);
  const dataElements = bits.bits(3);
  const couplingElements = bits.bits(4);
  if (bits.flag()) bits.skip(4); // mono mixdown
  if (bits.flag()) bits.skip(4); // stereo mixdown
  if (bits.flag()) bits.skip(3); // matrix mixdown
  let channels = lowFrequencyElements;
  for (let element = 0; element < channelElements; element += 1) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(lowFrequencyElements * 4 + dataElements * 4 + couplingElements * 5);
  bits.align();
  bits.skip(bits.bits(8) * 8); // comment_field_data
  return channels;
}

/** The backward compatible signalling of SBR and PS behind the core's configuration (1.6.6.1). */
function syncExtension(bits: BitReader, none: Extension): Extension {
  if (bits.remainingBits < 16 || bits.bits(11) !== SYNC_EXTENSION_SBR) return none;
  if (audioObjectType(bits) !== OBJECT_TYPE_SBR || !bits.flag()) return none;
  const sampleRate = samplingFrequency(bits);
  const hasPs = bits.remainingBits >= 12 && bits.bits(11) === SYNC_EXTENSION_PS && bits.flag();
  return { sampleRate, hasSbr: true, hasPs };
}

/** An ADTS frame's header (ISO/IEC 13818-7 6.2, ISO/IEC 14496-3 1.A.2.2). */
export interface AdtsHeader {
  /** Bytes before the raw_data_block: 7, or 9 with a checksum. */
  readonly headerBytes: number;
  /** Bytes of the whole frame, its header among them. */
  readonly frameBytes: number;
  /** raw_data_blocks in the frame, 1 to 4. */
  readonly blocks: number;
  readonly sampleRate: number;
  /** 0 when a program_config_element inside the stream tells. */
  readonly channels: number;
  /** The AudioSpecificConfig that says the same, newly made. */
  readonly config: Uint8Array;
}

/** Parses the header at the start of `bytes` (at least 7); throws `media.bad-adts-header`. */
export function parseAdtsHeader(bytes: Uint8Array): AdtsHeader {
  return parsing(BAD_ADTS, 'ADTS header', () => {
    const bits = new BitReader(bytes);
    const sync = bits.bits(12);
    bits.skip(1); // MPEG-4 or MPEG-2
    const layer = bits.bits(2);
    if (sync !== 0xfff || layer !== 0)
      throw new ProtocolError(BAD_ADTS, `syncword is 0x${sync.toString(16)} and layer ${layer}; they must be 0xfff and 0`);
    const headerBytes = bits.flag() ? 7 : 9;
    const objectType = bits.bits(2) + 1;
    const rateIndex = bits.bits(4);
    const sampleRate = SAMPLE_RATES[rateIndex];
    if (sampleRate === undefined)
      throw new ProtocolError(BAD_ADTS, `sampling frequency index ${rateIndex} is reserved; 0 to 12 are defined`);
    bits.skip(1);
    const channelConfiguration = bits.bits(3);
    bits.skip(4);
    const frameBytes = bits.bits(13);
    if (frameBytes < headerBytes)
      throw new ProtocolError(BAD_ADTS, `frame length ${frameBytes} is shorter than its header of ${headerBytes}`);
    bits.skip(11);
    const blocks = bits.bits(2) + 1;
    const config = Uint8Array.of((objectType << 3) | (rateIndex >> 1), ((rateIndex & 1) << 7) | (channelConfiguration << 3));
    return { headerBytes, frameBytes, blocks, sampleRate, channels: CHANNELS[channelConfiguration] ?? 0, config };
  });
}
