import { ByteWriter, ProtocolError } from '../../core/mod.ts';

const BAD_EXTENSION = 'rtp.bad-extension';
/** RFC 8285 4.2 and 4.3: "defined by profile" of the two forms; the low 4 bits of the second are free for applications. */
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const TWO_BYTE_PROFILE_MASK = 0xfff0;
const ONE_BYTE_ID_MAX = 14;
const ONE_BYTE_VALUE_MAX = 16;
const TWO_BYTE_MAX = 255;

/** The header extension elements of a packet (RFC 8285), found when asked for. */
export interface RtpExtensions {
  /**
   * The value of the first element with this negotiated id (1 to 255), as a view into the packet; `undefined` when there is none.
   * Never throws: elements behind one that runs past the end are as good as absent.
   */
  get(id: number): Uint8Array | undefined;
}

/** An element to write: `id` 1 to 255, `value` up to 255 bytes. */
export interface RtpExtensionElement {
  readonly id: number;
  readonly value: Uint8Array;
}

const none: RtpExtensions = { get: () => undefined };

/** The extensions between `start`, where their header stands, and `end`; other profiles than RFC 8285's count as none. Borrowed. */
export function readExtensions(bytes: Uint8Array, start: number, end: number): RtpExtensions {
  if (end - start <= 4) return none;
  const profile = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  if (profile === ONE_BYTE_PROFILE) return new OneByteExtensions(bytes, start + 4, end);
  return (profile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_PROFILE ? new TwoByteExtensions(bytes, start + 4, end) : none;
}

/** Where the elements of a packet stand. */
class Elements {
  protected readonly bytes: Uint8Array;
  protected readonly start: number;
  protected readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }
}

/** RFC 8285 4.2. */
class OneByteExtensions extends Elements implements RtpExtensions {
  get(id: number): Uint8Array | undefined {
    for (let at = this.start; at < this.end; ) {
      const header = this.bytes[at] ?? 0;
      at += 1;
      if (header === 0) continue; // padding
      const found = header >> 4;
      const valueEnd = at + (header & 15) + 1;
      // Id 0 with a length, and id 15, end the processing.
      if (found === 0 || found > ONE_BYTE_ID_MAX || valueEnd > this.end) return undefined;
      if (found === id) return this.bytes.subarray(at, valueEnd);
      at = valueEnd;
    }
    return undefined;
  }
}

/** RFC 8285 4.3. */
class TwoByteExtensions extends Elements implements RtpExtensions {
  get(id: number): Uint8Array | undefined {
    for (let at = this.start; at < this.end; ) {
      const found = this.bytes[at] ?? 0;
      at += 1;
      if (found === 0) continue; // padding
      if (at >= this.end) return undefined;
      const valueAt = at + 1;
      const valueEnd = valueAt + (this.bytes[at] ?? 0);
      if (valueEnd > this.end) return undefined;
      if (found === id) return this.bytes.subarray(valueAt, valueEnd);
      at = valueEnd;
    }
    return undefined;
  }
}

/** The header extension with its 4-byte header, padded to whole words; empty for no elements. */
export function writeExtensions(elements: readonly RtpExtensionElement[]): Uint8Array {
  if (elements.length === 0) return new Uint8Array();
  const isOneByte = elements.every(({ id, value }) => id <= ONE_BYTE_ID_MAX && value.length >= 1 && value.length <= ONE_BYTE_VALUE_MAX);
  const writer = new ByteWriter(64).u16(isOneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE).u16(0);
  for (const { id, value } of elements) {
    if (id < 1 || id > TWO_BYTE_MAX || value.length > TWO_BYTE_MAX) {
      throw new ProtocolError(BAD_EXTENSION, `element ${id} of ${value.length} bytes; ids are 1 to 255 and values at most 255 bytes`);
    }
    if (isOneByte) writer.u8((id << 4) | (value.length - 1));
    else writer.u8(id).u8(value.length);
    writer.put(value);
  }
  writer.zeros(-writer.length & 3);
  const bytes = writer.finish();
  const words = bytes.length / 4 - 1;
  bytes[2] = words >> 8;
  bytes[3] = words & 0xff;
  return bytes;
}
