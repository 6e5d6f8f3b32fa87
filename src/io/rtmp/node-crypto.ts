import { createHmac, randomBytes } from 'node:crypto';
import type { RtmpCrypto } from '../../protocols/rtmp/mod.ts';

/** The RTMP handshakes' crypto port on Node's own. */
export const nodeRtmpCrypto: RtmpCrypto = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  randomBytes: (size) => randomBytes(size),
};
