import { ByteWriter, utf8Encode } from '../../core/mod.ts';
import { crc32 } from './crc32.ts';
import type { IceCrypto } from './crypto-port.ts';
import { parseIpAddress } from './ip-address.ts';
import {
  STUN_FINGERPRINT_XOR,
  STUN_HEADER_BYTES,
  STUN_INTEGRITY_BYTES,
  STUN_MAGIC_COOKIE,
  StunAttribute,
  type StunClass,
  type TransportAddress,
} from './stun-message.ts';

const ATTRIBUTE_HEADER_BYTES = 4;
const FINGERPRINT_BYTES = 8;

const classBits: Record<StunClass, number> = { request: 0, indication: 0x010, success: 0x100, error: 0x110 };

/** What a message to be sent holds; attributes are written in this order. */
export interface StunContent {
  readonly class: StunClass;
  readonly method: number;
  /** 12 bytes, borrowed. */
  readonly transactionId: Uint8Array;
  readonly username?: string;
  readonly priority?: number;
  readonly usesCandidate?: boolean;
  readonly iceControlling?: bigint;
  readonly iceControlled?: bigint;
  readonly mappedAddress?: TransportAddress;
  /** The reason phrase is left empty, so that an error is not larger than what it answers. */
  readonly errorCode?: number;
  readonly unknownAttributes?: readonly number[];
}

/** With what MESSAGE-INTEGRITY is made; both borrowed. */
export interface StunSigner {
  readonly key: Uint8Array;
  readonly crypto: IceCrypto;
}

function attribute(writer: ByteWriter, type: number, value: Uint8Array): void {
  writer
    .u16(type)
    .u16(value.length)
    .put(value)
    .zeros(-value.length & 3);
}

function writeErrorCode(writer: ByteWriter, code: number): void {
  writer
    .u16(StunAttribute.errorCode)
    .u16(4)
    .u16(0)
    .u8(Math.trunc(code / 100))
    .u8(code % 100);
}

function writeUnknownAttributes(writer: ByteWriter, types: readonly number[]): void {
  const list = new ByteWriter(types.length * 2);
  for (const type of types) list.u16(type);
  attribute(writer, StunAttribute.unknownAttributes, list.finish());
}

function writeXorAddress(writer: ByteWriter, { ip, port }: TransportAddress, transactionId: Uint8Array): void {
  const address = parseIpAddress(ip);
  const mask = new ByteWriter(16).u32(STUN_MAGIC_COOKIE).put(transactionId).finish();
  writer.u16(StunAttribute.xorMappedAddress).u16(4 + address.length);
  writer.u16(address.length === 4 ? 1 : 2).u16(port ^ (STUN_MAGIC_COOKIE >>> 16));
  writer.put(address.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function writeContent(writer: ByteWriter, content: StunContent): void {
  if (content.username !== undefined) attribute(writer, StunAttribute.username, utf8Encode(content.username));
  if (content.priority !== undefined) writer.u16(StunAttribute.priority).u16(4).u32(content.priority);
  if (content.usesCandidate === true) writer.u16(StunAttribute.useCandidate).u16(0);
  if (content.iceControlling !== undefined) writeTieBreaker(writer, StunAttribute.iceControlling, content.iceControlling);
  if (content.iceControlled !== undefined) writeTieBreaker(writer, StunAttribute.iceControlled, content.iceControlled);
  if (content.mappedAddress !== undefined) writeXorAddress(writer, content.mappedAddress, content.transactionId);
  if (content.errorCode !== undefined) writeErrorCode(writer, content.errorCode);
  if (content.unknownAttributes !== undefined) writeUnknownAttributes(writer, content.unknownAttributes);
}

function writeTieBreaker(writer: ByteWriter, type: number, value: bigint): void {
  writer
    .u16(type)
    .u16(8)
    .u32(Number(value >> 32n))
    .u32(Number(value & 0xffffffffn));
}

/**
 * Builds a message (RFC 8489 §5), with MESSAGE-INTEGRITY when there is a `signer`, always with FINGERPRINT; given.
 * SOFTWARE is not sent: it would only make answers larger and tell strangers what runs here.
 */
export function buildStunMessage(content: StunContent, signer?: StunSigner): Uint8Array {
  const writer = new ByteWriter(128);
  const type = (content.method & 0xf) | ((content.method & 0x70) << 1) | ((content.method & 0xf80) << 2) | classBits[content.class];
  writer.u16(type).u16(0).u32(STUN_MAGIC_COOKIE).put(content.transactionId);
  writeContent(writer, content);
  const body = writer.finish();
  const fingerprintAt = body.length + (signer === undefined ? 0 : ATTRIBUTE_HEADER_BYTES + STUN_INTEGRITY_BYTES);
  const message = new Uint8Array(fingerprintAt + FINGERPRINT_BYTES);
  const view = new DataView(message.buffer);
  message.set(body);
  if (signer !== undefined) {
    // Each of the two counts the message's length up to and with itself (RFC 8489 §14.5, §14.7).
    view.setUint16(2, fingerprintAt - STUN_HEADER_BYTES);
    view.setUint16(body.length, StunAttribute.messageIntegrity);
    view.setUint16(body.length + 2, STUN_INTEGRITY_BYTES);
    message.set(signer.crypto.hmacSha1(signer.key, message.subarray(0, body.length)), body.length + ATTRIBUTE_HEADER_BYTES);
  }
  view.setUint16(2, message.length - STUN_HEADER_BYTES);
  view.setUint16(fingerprintAt, StunAttribute.fingerprint);
  view.setUint16(fingerprintAt + 2, 4);
  view.setUint32(fingerprintAt + 4, (crc32(message.subarray(0, fingerprintAt)) ^ STUN_FINGERPRINT_XOR) >>> 0);
  return message;
}
