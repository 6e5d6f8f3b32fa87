import { utf8Encode } from '../../core/mod.ts';
import type { RtmpCrypto } from './crypto-port.ts';

/** Length of C1, S1, C2 and S2 (RTMP 1.0, 5.2.3). */
export const HANDSHAKE_BYTES = 1536;
const DIGEST_BYTES = 32;

/** Where C1 and S1 keep the digest: scheme 0 in the first of the two 764-byte blocks, scheme 1 in the second. */
export type DigestScheme = 0 | 1;

// The digest handshake was never published by Adobe; these constants are those that every player and server holds.
const KEY_TAIL = Uint8Array.of(
  0xf0,
  0xee,
  0xc2,
  0x4a,
  0x80,
  0x68,
  0xbe,
  0xe8,
  0x2e,
  0x00,
  0xd0,
  0xd1,
  0x02,
  0x9e,
  0x7e,
  0x57,
  0x6e,
  0xec,
  0x5d,
  0x2d,
  0x29,
  0x80,
  0x6f,
  0xab,
  0x93,
  0xb8,
  0xe6,
  0x36,
  0xcf,
  0xeb,
  0x31,
  0xae,
);
const PLAYER_KEY = utf8Encode('Genuine Adobe Flash Player 001');
const SERVER_KEY = utf8Encode('Genuine Adobe Flash Media Server 001');
const SERVER_KEY_LONG = concatenate(SERVER_KEY, KEY_TAIL);

/** The offset of the digest in a C1 or S1: four bytes name it relative to the end of themselves. */
export function digestOffset(handshake: Uint8Array, scheme: DigestScheme): number {
  const field = scheme === 0 ? 8 : 772;
  let sum = 0;
  for (let at = field; at < field + 4; at += 1) sum += handshake[at] as number;
  return (sum % 728) + field + 4;
}

/** The digest of a C1 with the scheme it was found by; undefined when it has none. */
export function findClientDigest(
  c1: Uint8Array,
  crypto: RtmpCrypto,
): { readonly scheme: DigestScheme; readonly digest: Uint8Array } | undefined {
  for (const scheme of [0, 1] as const) {
    const offset = digestOffset(c1, scheme);
    const digest = c1.slice(offset, offset + DIGEST_BYTES);
    if (areEqual(digest, digestOf(c1, offset, PLAYER_KEY, crypto))) return { scheme, digest };
  }
  return undefined;
}

/** Writes the server's digest into `s1`, whose other bytes are final. */
export function signServerHandshake(s1: Uint8Array, scheme: DigestScheme, crypto: RtmpCrypto): void {
  const offset = digestOffset(s1, scheme);
  s1.set(digestOf(s1, offset, SERVER_KEY, crypto), offset);
}

/** S2 of the digest handshake, newly made: random bytes signed with a key made from the client's digest. */
export function serverAnswer(clientDigest: Uint8Array, crypto: RtmpCrypto): Uint8Array {
  const s2 = new Uint8Array(HANDSHAKE_BYTES);
  s2.set(crypto.randomBytes(HANDSHAKE_BYTES - DIGEST_BYTES));
  const key = crypto.hmacSha256(SERVER_KEY_LONG, clientDigest);
  s2.set(crypto.hmacSha256(key, s2.subarray(0, HANDSHAKE_BYTES - DIGEST_BYTES)), HANDSHAKE_BYTES - DIGEST_BYTES);
  return s2;
}

function digestOf(handshake: Uint8Array, offset: number, key: Uint8Array, crypto: RtmpCrypto): Uint8Array {
  return crypto.hmacSha256(key, concatenate(handshake.subarray(0, offset), handshake.subarray(offset + DIGEST_BYTES)));
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
