/** What the handshakes need from the outside. */
export interface RtmpCrypto {
  /** HMAC-SHA256 of `data` under `key`: 32 bytes, given. Arguments are borrowed. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** `size` random bytes, given. They need not be secret: nothing in RTMP's handshake is. */
  randomBytes(size: number): Uint8Array;
}
