import { ByteReader, ByteWriter, ProtocolError } from '../../core/mod.ts';

/** Bytes of the length in front of each NAL unit: lengthSizeMinusOne + 1 of ISO/IEC 14496-15 5.3.3.1; 3 is not allowed. */
export type NalLengthSize = 1 | 2 | 4;

/** The most NAL units in one access unit. */
const NAL_UNITS_MAX = 4_096;

/**
 * Checks a length size read from a configuration record (two bits + 1); throws `ProtocolError` with `code` for 3.
 */
export function nalLengthSize(code: string, size: number): NalLengthSize {
  if (size === 1 || size === 2 || size === 4) return size;
  throw new ProtocolError(code, `NAL unit length size is ${size}; it must be 1, 2 or 4`);
}

/**
 * The NAL units of a length-prefixed access unit, each a view that shares memory; empty ones are left out.
 * Throws `media.bad-nal-units` when a length runs past the end or there are more than 4096 units.
 */
export function splitNalUnits(payload: Uint8Array, lengthSize: NalLengthSize = 4): Uint8Array[] {
  const reader = new ByteReader(payload);
  const units: Uint8Array[] = [];
  let count = 0;
  while (reader.remaining >= lengthSize) {
    const length = lengthSize === 4 ? reader.u32() : lengthSize === 2 ? reader.u16() : reader.u8();
    if (length > reader.remaining) {
      throw new ProtocolError('media.bad-nal-units', `NAL unit ${count} claims ${length} bytes but ${reader.remaining} are left`);
    }
    count += 1;
    if (count > NAL_UNITS_MAX) throw tooManyUnits();
    if (length > 0) units.push(reader.slice(length));
  }
  if (reader.remaining > 0) {
    throw new ProtocolError('media.bad-nal-units', `${reader.remaining} stray bytes behind the last NAL unit`);
  }
  return units;
}

/** NAL units, each behind a 4-byte length, in newly made bytes. */
export function joinNalUnits(units: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(units.reduce((size, unit) => size + 4 + unit.length, 0));
  for (const unit of units) writer.u32(unit.length).put(unit);
  return writer.finish();
}

/**
 * An access unit with `lengthSize`-byte lengths as one with 4-byte lengths, the format of frames in a stream.
 * Gives back the same bytes when they are 4 already. Throws as {@link splitNalUnits} does.
 */
export function toFourByteLengths(payload: Uint8Array, lengthSize: NalLengthSize): Uint8Array {
  return lengthSize === 4 ? payload : joinNalUnits(splitNalUnits(payload, lengthSize));
}

/**
 * The NAL units of a byte stream with start codes (ITU-T H.264 and H.265, annex B), each a view that shares memory, without
 * zero bytes around them. What comes before the first start code is left out.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = afterStartCode(bytes, 0);
  while (start < bytes.length) {
    const next = afterStartCode(bytes, start);
    let end = next > bytes.length ? bytes.length : next - 3;
    while (end > start && bytes[end - 1] === 0) end -= 1;
    if (end > start) units.push(bytes.subarray(start, end));
    if (units.length > NAL_UNITS_MAX) throw tooManyUnits();
    start = next;
  }
  return units;
}

/** An annex B access unit as one with 4-byte lengths, newly made; `media.bad-nal-units` above 4096 units. */
export function annexBToLengthPrefixed(bytes: Uint8Array): Uint8Array {
  return joinNalUnits(splitAnnexB(bytes));
}

/** Where the NAL unit behind the next `00 00 01` begins; past the end when there is none. */
function afterStartCode(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(1, from); at !== -1; at = bytes.indexOf(1, at + 1)) {
    if (at - from >= 2 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1;
  }
  return bytes.length + 1;
}

/** A NAL unit's content without emulation_prevention_three_byte (7.3.1 of H.264, 7.3.1.1 of H.265), newly made where there are any. */
export function withoutEmulationPrevention(unit: Uint8Array): Uint8Array {
  const content = new Uint8Array(unit.length);
  let length = 0;
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    content[length] = byte;
    length += 1;
  }
  return content.subarray(0, length);
}

/**
 * The first type that `decide` has an opinion on, among the first bytes of the length-prefixed (4 bytes) NAL units; `false`
 * when none has, also for broken payloads. Allocates nothing: it runs for every frame.
 */
export function scanNalUnits(payload: Uint8Array, decide: (firstByte: number) => boolean | undefined): boolean {
  for (let at = 0, count = 0; at + 4 < payload.length && count < NAL_UNITS_MAX; count += 1) {
    const length =
      (payload[at] ?? 0) * 0x1000000 + (((payload[at + 1] ?? 0) << 16) | ((payload[at + 2] ?? 0) << 8) | (payload[at + 3] ?? 0));
    if (length > payload.length - at - 4) return false;
    if (length > 0) {
      const decided = decide(payload[at + 4] ?? 0);
      if (decided !== undefined) return decided;
    }
    at += 4 + length;
  }
  return false;
}

function tooManyUnits(): ProtocolError {
  return new ProtocolError('media.bad-nal-units', `more than ${NAL_UNITS_MAX} NAL units in one access unit`);
}
