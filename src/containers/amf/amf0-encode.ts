import { assert, ByteWriter, utf8Encode } from '../../core/mod.ts';
import { AmfDate, AmfEcmaArray, type AmfObject, type AmfValue } from './amf-value.ts';

// Values that we write are ours and flat; a deeper one is a bug, such as an object inside itself.
const DEPTH_MAX = 16;
const SHORT_STRING_BYTES_MAX = 0xffff;

/** Writes values one after the other as AMF0 (AMF0 specification, section 2). The bytes are given. Byte arrays are not AMF0: a bug of the caller. */
export function encodeAmf0(...values: readonly AmfValue[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) write(writer, value, 0);
  return writer.finish();
}

function write(writer: ByteWriter, value: AmfValue, depth: number): void {
  assert(depth <= DEPTH_MAX, `AMF0 value to write nests deeper than ${DEPTH_MAX}`);
  if (typeof value === 'number') writer.u8(0x00).f64(value);
  else if (typeof value === 'boolean') writer.u8(0x01).u8(value ? 1 : 0);
  else if (typeof value === 'string') writeString(writer, value);
  else if (value === null) writer.u8(0x05);
  else if (value === undefined) writer.u8(0x06);
  else if (value instanceof AmfDate) writer.u8(0x0b).f64(value.epochMs).u16(0);
  else if (value instanceof AmfEcmaArray) writeProperties(writer.u8(0x08).u32(value.size), value, depth);
  else if (value instanceof Map) writeProperties(writer.u8(0x03), value, depth);
  else writeStrictArray(writer, value as readonly AmfValue[], depth);
}

function writeString(writer: ByteWriter, text: string): void {
  const bytes = utf8Encode(text);
  if (bytes.length <= SHORT_STRING_BYTES_MAX) writer.u8(0x02).u16(bytes.length).put(bytes);
  else writer.u8(0x0c).u32(bytes.length).put(bytes);
}

function writeProperties(writer: ByteWriter, properties: AmfObject, depth: number): void {
  for (const [name, value] of properties) {
    const bytes = utf8Encode(name);
    assert(bytes.length <= SHORT_STRING_BYTES_MAX, 'AMF0 property name to write is above 65,535 bytes');
    writer.u16(bytes.length).put(bytes);
    write(writer, value, depth + 1);
  }
  writer.u24(0x000009);
}

function writeStrictArray(writer: ByteWriter, values: readonly AmfValue[], depth: number): void {
  assert(Array.isArray(values), 'AMF0 cannot carry a byte array');
  writer.u8(0x0a).u32(values.length);
  for (const value of values) write(writer, value, depth + 1);
}
