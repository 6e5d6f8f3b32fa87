import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeIceCrypto } from './node-ice-crypto.ts';

describe('HMAC-SHA1', () => {
  it.each([0, 1, 24, 63, 64, 65, 200])('is what RFC 2104 says, with a key of %i bytes', (keyBytes) => {
    for (const dataBytes of [0, 1, 20, 55, 64, 100, 1_000]) {
      const [key, data] = [randomBytes(keyBytes), randomBytes(dataBytes)];
      expect(Buffer.from(nodeIceCrypto.hmacSha1(key, data))).toEqual(createHmac('sha1', key).update(data).digest());
    }
  });
});
