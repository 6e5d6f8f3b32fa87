import { createHmac } from 'node:crypto';
import type { IceCrypto } from './crypto-port.ts';

/** Node's HMAC, and random bytes from a seed (a linear congruential generator's upper bits). */
export function seededCrypto(seed: number): IceCrypto {
  let state = seed >>> 0;
  return {
    hmacSha1: (key, data) => new Uint8Array(createHmac('sha1', key).update(data).digest()),
    randomBytes: (size) =>
      Uint8Array.from({ length: size }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 24;
      }),
  };
}
