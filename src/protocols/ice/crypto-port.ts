/** What connectivity checks need from the outside. */
export interface IceCrypto {
  /** HMAC-SHA1 of `data` under `key`: 20 bytes, given. Arguments are borrowed. */
  hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** `size` random bytes, given. They must be unpredictable: passwords and transaction ids are made of them. */
  randomBytes(size: number): Uint8Array;
}
