import { ProtocolError } from '../../core/mod.ts';
import { type RtpExtensionElement, type RtpExtensions, readExtensions, writeExtensions } from './packet-extensions.ts';

const BAD_PACKET = 'rtp.bad-packet';
const VERSION = 2;
const FIXED_HEADER_BYTES = 12;
const EXTENSION_HEADER_BYTES = 4;

/** An RTP packet as read. Views share memory with the bytes it was read from: copy what is to live longer. */
export interface RtpPacket {
  readonly marker: boolean;
  /** 0 to 127. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, unsigned, in ticks of the payload type's clock. */
  readonly timestamp: number;
  /** 32 bits, unsigned. */
  readonly ssrc: number;
  readonly extensions: RtpExtensions;
  /** Without padding. Empty in packets that only probe. */
  readonly payload: Uint8Array;
}

/** What {@link writeRtpPacket} writes. Numbers are taken modulo their width. */
export interface RtpPacketFields extends Omit<RtpPacket, 'extensions'> {
  /** In this order; ids 1 to 14 with values of 1 to 16 bytes give one-byte headers, anything beyond gives two-byte headers. */
  readonly extensions?: readonly RtpExtensionElement[];
}

/**
 * Reads an RTP packet (RFC 3550 5.1); bytes are borrowed. Extension elements are looked for only when asked for.
 * Throws `rtp.bad-packet` for another version than 2 and for lengths that do not fit.
 */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket {
  if (bytes.length < FIXED_HEADER_BYTES) {
    throw new ProtocolError(BAD_PACKET, `an RTP packet of ${bytes.length} bytes; its header alone is ${FIXED_HEADER_BYTES}`);
  }
  const first = bytes[0] ?? 0;
  if (first >> 6 !== VERSION) throw new ProtocolError(BAD_PACKET, `RTP version is ${first >> 6}; it must be ${VERSION}`);
  const extensionsAt = FIXED_HEADER_BYTES + 4 * (first & 15);
  const hasExtensions = (first & 0x10) !== 0;
  const payloadAt = hasExtensions ? extensionsEnd(bytes, extensionsAt) : extensionsAt;
  const payloadEnd = bytes.length - ((first & 0x20) !== 0 ? (bytes[bytes.length - 1] ?? 0) : 0);
  const isPaddingZero = (first & 0x20) !== 0 && payloadEnd === bytes.length;
  if (payloadAt > payloadEnd || isPaddingZero) {
    throw new ProtocolError(BAD_PACKET, `header of ${payloadAt} and padding up to byte ${payloadEnd} do not fit ${bytes.length} bytes`);
  }
  const second = bytes[1] ?? 0;
  return {
    marker: second >= 0x80,
    payloadType: second & 0x7f,
    sequenceNumber: u16(bytes, 2),
    timestamp: u32(bytes, 4),
    ssrc: u32(bytes, 8),
    extensions: readExtensions(bytes, hasExtensions ? extensionsAt : payloadAt, payloadAt),
    payload: bytes.subarray(payloadAt, payloadEnd),
  };
}

/** Where the header extension at `start` ends (RFC 3550 5.3.1); past the end of `bytes` when it does not fit. */
function extensionsEnd(bytes: Uint8Array, start: number): number {
  const contentAt = start + EXTENSION_HEADER_BYTES;
  return contentAt > bytes.length ? contentAt : contentAt + 4 * u16(bytes, start + 2);
}

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);

/** A packet without CSRCs and padding, newly made. Throws `rtp.bad-extension` for elements that no header can carry. */
export function writeRtpPacket(fields: RtpPacketFields): Uint8Array {
  const extensions = writeExtensions(fields.extensions ?? []);
  const bytes = new Uint8Array(FIXED_HEADER_BYTES + extensions.length + fields.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (VERSION << 6) | (extensions.length > 0 ? 0x10 : 0));
  view.setUint8(1, (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f));
  view.setUint16(2, fields.sequenceNumber);
  view.setUint32(4, fields.timestamp);
  view.setUint32(8, fields.ssrc);
  bytes.set(extensions, FIXED_HEADER_BYTES);
  bytes.set(fields.payload, FIXED_HEADER_BYTES + extensions.length);
  return bytes;
}
