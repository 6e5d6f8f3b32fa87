import { ByteReader, ByteWriter, ProtocolError, utf8Decode, utf8Encode } from '../../core/mod.ts';
import { parsing } from './malformed.ts';

const BAD_CONFIG = 'media.bad-opus-config';
const BAD_PACKET = 'media.bad-opus-packet';
const OPUS_HEAD_MAGIC = 'OpusHead';
const MAGIC_BYTES = 8;
/** A packet holds at most 120 ms (RFC 6716 3.2.5, R5). */
const PACKET_SAMPLES_MAX = 5_760;

/** What OpusHead (RFC 7845 5.1) and the dOps box (Encapsulation of Opus in ISO BMFF 4.3.2) both say. */
export interface OpusConfig {
  /** Output channels, 1 to 255. */
  readonly channels: number;
  /** Samples at 48 kHz to throw away at the start. */
  readonly preSkip: number;
  /** The rate before encoding; only information, 0 when unknown. Decoders work at 48,000 Hz. */
  readonly inputSampleRate: number;
  /** In 1/256 dB. */
  readonly outputGain: number;
  readonly mappingFamily: number;
  /** Stream count, coupled count and one byte a channel; empty for family 0. Shares the record's memory. */
  readonly mapping: Uint8Array;
}

/** Whether a configuration record is an OpusHead (as Enhanced RTMP and Ogg carry it) and not the content of a dOps box. */
export function isOpusHead(record: Uint8Array): boolean {
  return record.length >= MAGIC_BYTES && utf8Decode(record.subarray(0, MAGIC_BYTES)) === OPUS_HEAD_MAGIC;
}

/** Parses an OpusHead or a dOps box's content, whichever it is; throws `media.bad-opus-config`. */
export function parseOpusConfig(record: Uint8Array): OpusConfig {
  return parsing(BAD_CONFIG, 'Opus configuration', () => {
    const reader = new ByteReader(record);
    const isHead = isOpusHead(record);
    if (isHead) reader.skip(MAGIC_BYTES);
    const version = reader.u8();
    // OpusHead: versions up to 15 are compatible with 1 (RFC 7845 5.1); dOps: 0 alone.
    if (isHead ? version > 15 : version !== 0) throw new ProtocolError(BAD_CONFIG, `version is ${version}; OpusHead has 1, dOps 0`);
    const channels = reader.u8();
    const preSkip = isHead ? swap16(reader.u16()) : reader.u16();
    const inputSampleRate = isHead ? reader.u32le() : reader.u32();
    const outputGain = isHead ? (swap16(reader.u16()) << 16) >> 16 : reader.i16();
    const mappingFamily = reader.u8();
    if (channels === 0 || (mappingFamily === 0 && channels > 2)) {
      throw new ProtocolError(
        BAD_CONFIG,
        `${channels} channels in mapping family ${mappingFamily}; family 0 takes 1 or 2, others at least 1`,
      );
    }
    const mapping = reader.slice(mappingFamily === 0 ? 0 : 2 + channels);
    return { channels, preSkip, inputSampleRate, outputGain, mappingFamily, mapping };
  });
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

/** The content of a dOps box, newly made. */
export function buildDOps(config: OpusConfig): Uint8Array {
  const writer = new ByteWriter(16).u8(0).u8(config.channels).u16(config.preSkip).u32(config.inputSampleRate);
  return writer
    .u16(config.outputGain & 0xffff)
    .u8(config.mappingFamily)
    .put(config.mapping)
    .finish();
}

/** An OpusHead, newly made. */
export function buildOpusHead(config: OpusConfig): Uint8Array {
  const writer = new ByteWriter(24).put(utf8Encode(OPUS_HEAD_MAGIC)).u8(1).u8(config.channels);
  writer
    .u16(swap16(config.preSkip))
    .u32le(config.inputSampleRate)
    .u16(swap16(config.outputGain & 0xffff));
  return writer.u8(config.mappingFamily).put(config.mapping).finish();
}

/**
 * Samples at 48 kHz in a packet, from its TOC byte and frame count (RFC 6716 3.1 and 3.2); for multistream packets the first
 * stream's, which all share. Throws `media.bad-opus-packet` for an empty packet, none or more than 120 ms.
 */
export function opusPacketSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) throw new ProtocolError(BAD_PACKET, 'an Opus packet of 0 bytes; it needs at least its TOC byte');
  const samples = frameSamples(toc >> 3) * frameCount(toc & 3, packet[1]);
  if (samples < 1 || samples > PACKET_SAMPLES_MAX) {
    throw new ProtocolError(BAD_PACKET, `an Opus packet of ${samples} samples at 48 kHz; 1 to ${PACKET_SAMPLES_MAX} (120 ms) is allowed`);
  }
  return samples;
}

/** Table 2 of RFC 6716. */
function frameSamples(configuration: number): number {
  if (configuration >= 16) return 120 << (configuration & 3); // CELT: 2.5, 5, 10, 20 ms
  if (configuration >= 12) return 480 << (configuration & 1); // hybrid: 10, 20 ms
  return [480, 960, 1_920, 2_880][configuration & 3] ?? 0; // SILK: 10, 20, 40, 60 ms
}

function frameCount(code: number, second: number | undefined): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  if (second === undefined) throw new ProtocolError(BAD_PACKET, 'an Opus packet of code 3 ends before its frame count byte');
  return second & 63;
}
