import type { IceCrypto } from './crypto-port.ts';

/** A username fragment and its password (RFC 8445 §5.3). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** RFC 8839 §5.4: ALPHA, DIGIT, "+", "/". Sixty-four of them, so each carries six bits. */
const ICE_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** 48 bits: two of a million sessions share a fragment once in hundreds of fillings. */
const UFRAG_LENGTH = 8;
/** 144 bits; RFC 8445 §5.3 wants at least 128. */
const PWD_LENGTH = 24;

const iceChars = (bytes: Uint8Array): string => Array.from(bytes, (byte) => ICE_CHARS.charAt(byte & 63)).join('');

/** New credentials from random bytes. */
export function createIceCredentials(crypto: Pick<IceCrypto, 'randomBytes'>): IceCredentials {
  return { ufrag: iceChars(crypto.randomBytes(UFRAG_LENGTH)), pwd: iceChars(crypto.randomBytes(PWD_LENGTH)) };
}

/** Whether a peer's username fragment is well formed (RFC 8839 §5.4: 4 to 256 ice-chars). */
export const isIceUfrag = (text: string): boolean => /^[A-Za-z0-9+/]{4,256}$/.test(text);
/** Whether a peer's password is well formed (RFC 8839 §5.4: 22 to 256 ice-chars). */
export const isIcePwd = (text: string): boolean => /^[A-Za-z0-9+/]{22,256}$/.test(text);
