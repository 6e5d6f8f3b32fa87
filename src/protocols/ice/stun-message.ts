import { ProtocolError, utf8Decode } from '../../core/mod.ts';
import { crc32 } from './crc32.ts';
import type { IceCrypto } from './crypto-port.ts';
import { formatIpAddress } from './ip-address.ts';

/** Where a datagram comes from or goes to: `127.0.0.1` or `2001:db8::1` (an IPv4-mapped address is shown as IPv4), and a port. */
export interface TransportAddress {
  readonly ip: string;
  readonly port: number;
}

/** STUN's class of a message (RFC 8489 §5). */
export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** The one method ICE uses. */
export const STUN_BINDING = 0x001;
export const STUN_MAGIC_COOKIE = 0x2112a442;
export const STUN_HEADER_BYTES = 20;
export const STUN_TRANSACTION_ID_BYTES = 12;
/** Longer messages are refused: checks and their answers have about 100 bytes. */
export const STUN_MESSAGE_BYTES_MAX = 1280;
export const STUN_INTEGRITY_BYTES = 20;
export const STUN_FINGERPRINT_XOR = 0x5354554e;
/** RFC 8489 §14.3: fewer than 509 bytes. */
const USERNAME_BYTES_MAX = 508;
const UNKNOWN_ATTRIBUTES_MAX = 16;

/** Attribute types (RFC 8489 §18.3, RFC 8445 §16.1). */
export const StunAttribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  messageIntegritySha256: 0x001c,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

const comprehended = new Set<number>(Object.values(StunAttribute));

/** A parsed message; byte fields are views of the bytes it was parsed from. */
export interface StunMessage {
  readonly class: StunClass;
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  readonly username?: string;
  readonly priority?: number;
  readonly usesCandidate: boolean;
  /** The tie-breaker of an agent that says it is controlling. */
  readonly iceControlling?: bigint;
  /** The tie-breaker of an agent that says it is controlled. */
  readonly iceControlled?: bigint;
  readonly mappedAddress?: TransportAddress;
  readonly errorCode?: number;
  /** Comprehension-required attributes that are not known here, at most 16 (RFC 8489 §6.3.1). */
  readonly unknownAttributes: readonly number[];
  /** Offset of the MESSAGE-INTEGRITY attribute. */
  readonly integrityOffset?: number;
  /** A FINGERPRINT was there, and right. */
  readonly hasFingerprint: boolean;
  /** The whole message, for {@link hasValidIntegrity}. */
  readonly bytes: Uint8Array;
}

type Draft = { -readonly [Field in keyof StunMessage]: StunMessage[Field] } & { unknownAttributes: number[] };

const bad = (what: string): ProtocolError => new ProtocolError('ice.bad-stun', `${what}; the message is dropped`);

const classes: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/** Whether borrowed bytes look like STUN (RFC 7983 §7: first byte 0 to 3, and the magic cookie). */
export function isStun(bytes: Uint8Array): boolean {
  return bytes.length >= STUN_HEADER_BYTES && (bytes[0] ?? 255) < 4 && viewOf(bytes).getUint32(4) === STUN_MAGIC_COOKIE;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Parses one STUN message (RFC 8489 §5, §14). The bytes are borrowed, the result holds views of them.
 * Attributes after MESSAGE-INTEGRITY are ignored save FINGERPRINT (§14.5); of equal ones the first counts (§14).
 * Throws `ice.bad-stun`, also for a FINGERPRINT that is wrong or not the last attribute.
 */
export function parseStunMessage(bytes: Uint8Array): StunMessage {
  const { length } = bytes;
  if (length > STUN_MESSAGE_BYTES_MAX) throw bad(`${length} bytes are more than ${STUN_MESSAGE_BYTES_MAX}`);
  if (!isStun(bytes)) throw bad('no STUN header with its magic cookie');
  const view = viewOf(bytes);
  const type = view.getUint16(0);
  if (view.getUint16(2) !== length - STUN_HEADER_BYTES || length % 4 !== 0) throw bad(`length ${view.getUint16(2)} in ${length} bytes`);
  const message: Draft = {
    class: classes[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request',
    method: (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80),
    transactionId: bytes.subarray(8, STUN_HEADER_BYTES),
    usesCandidate: false,
    unknownAttributes: [],
    hasFingerprint: false,
    bytes,
  };
  readAttributes(message, view);
  return message;
}

function readAttributes(message: Draft, view: DataView): void {
  const { bytes } = message;
  let at = STUN_HEADER_BYTES;
  while (at < bytes.length) {
    if (message.hasFingerprint) throw bad('an attribute after FINGERPRINT');
    const type = view.getUint16(at);
    const size = view.getUint16(at + 2);
    const start = at + 4;
    if (start + size > bytes.length) throw bad(`attribute 0x${type.toString(16)} of ${size} bytes runs past the end`);
    if (type === StunAttribute.fingerprint) readFingerprint(message, view, at, size);
    else if (message.integrityOffset === undefined) readAttribute(message, view, type, at, size);
    at = start + ((size + 3) & ~3);
  }
}

function readFingerprint(message: Draft, view: DataView, at: number, size: number): void {
  sized('FINGERPRINT', size, 4);
  const expected = (crc32(message.bytes.subarray(0, at)) ^ STUN_FINGERPRINT_XOR) >>> 0;
  if (view.getUint32(at + 4) !== expected) throw bad('FINGERPRINT does not match');
  message.hasFingerprint = true;
}

function sized(name: string, size: number, expected: number): void {
  if (size !== expected) throw bad(`${name} has ${size} bytes, not ${expected}`);
}

function readAttribute(message: Draft, view: DataView, type: number, at: number, size: number): void {
  const start = at + 4;
  switch (type) {
    case StunAttribute.username:
      if (size > USERNAME_BYTES_MAX) throw bad(`USERNAME has ${size} bytes, more than ${USERNAME_BYTES_MAX}`);
      message.username ??= utf8Decode(message.bytes.subarray(start, start + size));
      break;
    case StunAttribute.messageIntegrity:
      sized('MESSAGE-INTEGRITY', size, STUN_INTEGRITY_BYTES);
      message.integrityOffset = at;
      break;
    case StunAttribute.errorCode:
      message.errorCode ??= readErrorCode(view, start, size);
      break;
    case StunAttribute.xorMappedAddress:
      message.mappedAddress ??= readXorAddress(message.bytes, view, start, size);
      break;
    case StunAttribute.priority:
      sized('PRIORITY', size, 4);
      message.priority ??= view.getUint32(start);
      break;
    case StunAttribute.useCandidate:
      sized('USE-CANDIDATE', size, 0);
      message.usesCandidate = true;
      break;
    case StunAttribute.iceControlling:
      sized('ICE-CONTROLLING', size, 8);
      message.iceControlling ??= view.getBigUint64(start);
      break;
    case StunAttribute.iceControlled:
      sized('ICE-CONTROLLED', size, 8);
      message.iceControlled ??= view.getBigUint64(start);
      break;
    default:
      if (type < 0x8000 && !comprehended.has(type) && message.unknownAttributes.length < UNKNOWN_ATTRIBUTES_MAX) {
        message.unknownAttributes.push(type);
      }
  }
}

function readErrorCode(view: DataView, start: number, size: number): number {
  if (size < 4) throw bad(`ERROR-CODE has ${size} bytes, fewer than 4`);
  const hundreds = view.getUint8(start + 2) & 7;
  const rest = view.getUint8(start + 3);
  if (hundreds < 3 || hundreds > 6 || rest > 99) throw bad(`ERROR-CODE ${hundreds}.${rest} is none`);
  return hundreds * 100 + rest;
}

function readXorAddress(bytes: Uint8Array, view: DataView, start: number, size: number): TransportAddress {
  const family = size >= 2 ? view.getUint8(start + 1) : 0;
  if (family !== 1 && family !== 2) throw bad(`XOR-MAPPED-ADDRESS of family ${family}`);
  const length = family === 1 ? 4 : 16;
  sized('XOR-MAPPED-ADDRESS', size, 4 + length);
  // The mask is the magic cookie followed by the transaction id, as they stand in the header (RFC 8489 §14.2).
  const ip = bytes.slice(start + 4, start + 4 + length).map((byte, index) => byte ^ (bytes[4 + index] ?? 0));
  return { ip: formatIpAddress(ip), port: view.getUint16(start + 2) ^ (STUN_MAGIC_COOKIE >>> 16) };
}

/**
 * Whether MESSAGE-INTEGRITY is there and was made with `key` (short-term credential: the password's bytes, RFC 8489 §9.1.1).
 * The comparison takes the same time wherever the difference is.
 */
export function hasValidIntegrity(message: StunMessage, key: Uint8Array, crypto: IceCrypto): boolean {
  const { bytes, integrityOffset } = message;
  if (integrityOffset === undefined) return false;
  const signed = bytes.slice(0, integrityOffset);
  // The length counts up to and with MESSAGE-INTEGRITY, whatever follows it (RFC 8489 §14.5).
  viewOf(signed).setUint16(2, integrityOffset + 4 + STUN_INTEGRITY_BYTES - STUN_HEADER_BYTES);
  const expected = crypto.hmacSha1(key, signed);
  let difference = 0;
  for (let index = 0; index < STUN_INTEGRITY_BYTES; index++)
    difference |= (expected[index] ?? 0) ^ (bytes[integrityOffset + 4 + index] ?? 0);
  return difference === 0;
}
