import { ByteReader, ByteWriter, ProtocolError } from '../../core/mod.ts';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './av1-sequence.ts';
import { parsing } from './malformed.ts';

const BAD_CONFIG = 'media.bad-av1-config';
const BAD_OBUS = 'media.bad-av1-obus';
const OBU_SEQUENCE_HEADER = 1;
const OBU_TEMPORAL_DELIMITER = 2;
const OBU_FRAME_HEADER = 3;
const OBU_FRAME = 6;
const LEB128_BYTES_MAX = 8;
/** The most OBUs in one temporal unit. */
const OBUS_MAX = 4_096;
/** av1C's first byte: marker 1, version 1. */
const MARKER_AND_VERSION = 0x81;
/** `av01` fields that are left out when they are these (AV1 codec ISO media file format binding, section 5). */
const DEFAULT_OPTIONAL = '0.110.01.01.01.0';

/** One open bitstream unit; views share memory with the temporal unit. */
export interface Av1Obu {
  readonly type: number;
  /** The whole unit with its header and size. */
  readonly bytes: Uint8Array;
  /** What stands behind header and size. */
  readonly content: Uint8Array;
}

/** What an AV1CodecConfigurationRecord (AV1 in ISO BMFF 2.3.3) says. */
export interface Av1Config {
  /** Of the record's first sequence header OBU; `undefined` when the record has none. */
  readonly sequence: Av1SequenceHeader | undefined;
}

/**
 * The OBUs of a temporal unit in low-overhead format (AV1 specification 5.2 and 5.3); the last may lack a size.
 * Throws `media.bad-av1-obus` for sizes past the end, forbidden bits and more than 4096 OBUs.
 */
export function splitAv1Obus(payload: Uint8Array): Av1Obu[] {
  return parsing(BAD_OBUS, 'AV1 temporal unit', () => {
    const reader = new ByteReader(payload);
    const obus: Av1Obu[] = [];
    while (reader.remaining > 0) {
      if (obus.length >= OBUS_MAX) throw new ProtocolError(BAD_OBUS, `more than ${OBUS_MAX} OBUs in one temporal unit`);
      const start = reader.offset;
      const header = reader.u8();
      if ((header & 0x80) !== 0) throw new ProtocolError(BAD_OBUS, `obu_forbidden_bit is set at byte ${start}; it must be 0`);
      if ((header & 4) !== 0) reader.skip(1); // extension header
      const size = (header & 2) !== 0 ? leb128(reader) : reader.remaining;
      const content = reader.slice(size);
      obus.push({ type: (header >> 3) & 15, bytes: payload.subarray(start, reader.offset), content });
    }
    return obus;
  });
}

/** leb128() of 4.10.5. */
function leb128(reader: ByteReader): number {
  let value = 0;
  for (let index = 0; index < LEB128_BYTES_MAX; index += 1) {
    const byte = reader.u8();
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return value;
  }
  throw new ProtocolError(BAD_OBUS, `a leb128 size has more than ${LEB128_BYTES_MAX} bytes`);
}

/**
 * A temporal unit without temporal delimiters, as ISO BMFF samples want it: the same bytes if there are none, else newly made.
 * Throws as {@link splitAv1Obus} does.
 */
export function withoutTemporalDelimiters(payload: Uint8Array): Uint8Array {
  const obus = splitAv1Obus(payload);
  const kept = obus.filter((obu) => obu.type !== OBU_TEMPORAL_DELIMITER);
  if (kept.length === obus.length) return payload;
  const writer = new ByteWriter(payload.length);
  for (const obu of kept) writer.put(obu.bytes);
  return writer.finish();
}

/** The first sequence header OBU, whole; `undefined` when there is none. Throws as {@link splitAv1Obus} does. */
export function av1SequenceObu(payload: Uint8Array): Av1Obu | undefined {
  return splitAv1Obus(payload).find((obu) => obu.type === OBU_SEQUENCE_HEADER);
}

/** Parses an av1C box's content; throws `media.bad-av1-config`. */
export function parseAv1Config(record: Uint8Array): Av1Config {
  return parsing(BAD_CONFIG, 'AV1CodecConfigurationRecord', () => {
    const reader = new ByteReader(record);
    const first = reader.u8();
    if (first !== MARKER_AND_VERSION) {
      throw new ProtocolError(
        BAD_CONFIG,
        `marker and version are 0x${first.toString(16)}; they must be 0x${MARKER_AND_VERSION.toString(16)}`,
      );
    }
    reader.skip(3); // a digest of the sequence header, which is read below
    const obu = av1SequenceObu(reader.rest());
    return { sequence: obu === undefined ? undefined : parseAv1SequenceHeader(obu.content) };
  });
}

/** The content of an av1C box around a whole sequence header OBU (with its size field), newly made; throws `media.bad-av1-config`. */
export function buildAv1Config(obu: Av1Obu): Uint8Array {
  const sequence = parseAv1SequenceHeader(obu.content);
  const writer = new ByteWriter(4 + obu.bytes.length).u8(MARKER_AND_VERSION).u8((sequence.profile << 5) | sequence.level);
  const depth = (sequence.tier << 7) | (sequence.bitDepth > 8 ? 0x40 : 0) | (sequence.bitDepth === 12 ? 0x20 : 0);
  const chroma = (sequence.isMonochrome ? 0x10 : 0) | (sequence.subsamplingX << 3) | (sequence.subsamplingY << 2);
  return writer
    .u8(depth | chroma | sequence.chromaSamplePosition)
    .u8(0)
    .put(obu.bytes)
    .finish();
}

/** `av01.P.LLT.DD` (AV1 in ISO BMFF, section 5), followed by the optional fields when any differs from its default. */
export function av1CodecString(sequence: Av1SequenceHeader): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const base = `av01.${sequence.profile}.${two(sequence.level)}${sequence.tier === 1 ? 'H' : 'M'}.${two(sequence.bitDepth)}`;
  const { colour, subsamplingX, subsamplingY, chromaSamplePosition, isMonochrome, isFullRange } = sequence;
  const position = subsamplingX === 1 && subsamplingY === 1 ? chromaSamplePosition : 0;
  const chroma = `${subsamplingX}${subsamplingY}${position}`;
  // A header without colour description, or with an unspecified one, is played as the default BT.709.
  const isDescribed = colour !== undefined && colour.primaries !== 2;
  const described = isDescribed ? [colour.primaries, colour.transfer, colour.matrix] : [1, 1, 1];
  // 110 and 111 differ by the place of chroma samples only, which decides nothing about who can play.
  const optional = [
    isMonochrome ? 1 : 0,
    chroma === '111' || chroma === '112' ? '110' : chroma,
    ...described.map(two),
    isFullRange ? 1 : 0,
  ].join('.');
  return optional === DEFAULT_OPTIONAL ? base : `${base}.${optional}`;
}

/**
 * Whether decoding can start at a temporal unit: it has a sequence header, and its first frame is a shown key frame
 * (AV1 in ISO BMFF 2.5, sync samples). Never throws; broken payloads are no keyframes.
 */
export function isAv1Keyframe(payload: Uint8Array): boolean {
  let isReduced: boolean | undefined;
  for (let at = 0, count = 0; at < payload.length && count < OBUS_MAX; count += 1) {
    const obu = obuAt(payload, at);
    if (obu === undefined) return false;
    const first = payload[obu.content] ?? 0;
    // seq_profile, still_picture, reduced_still_picture_header: 3 + 1 + 1 bits.
    if (obu.type === OBU_SEQUENCE_HEADER) isReduced = (first & 8) !== 0;
    else if (obu.type === OBU_FRAME_HEADER || obu.type === OBU_FRAME) {
      // show_existing_frame 0, frame_type 0 (KEY_FRAME), show_frame 1; a reduced header implies all three (5.9.2).
      return isReduced !== undefined && obu.end > obu.content && (isReduced || first >> 4 === 1);
    }
    at = obu.end;
  }
  return false;
}

/** Where an OBU's content begins and ends, without allocating views: {@link isAv1Keyframe} runs for every frame. */
function obuAt(payload: Uint8Array, start: number): { type: number; content: number; end: number } | undefined {
  const header = payload[start] ?? 0;
  if ((header & 0x80) !== 0) return undefined;
  let at = start + ((header & 4) !== 0 ? 2 : 1);
  const type = (header >> 3) & 15;
  if ((header & 2) === 0) return { type, content: at, end: payload.length };
  let size = 0;
  for (let index = 0; index < LEB128_BYTES_MAX; index += 1, at += 1) {
    const byte = payload[at];
    if (byte === undefined) return undefined;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) !== 0) continue;
    const content = at + 1;
    return content + size > payload.length ? undefined : { type, content, end: content + size };
  }
  return undefined;
}
