import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { TokenKey } from '../../access/mod.ts';

/** RFC 7515 section 7.1: three parts in base64url without padding. */
const COMPACT = /^([\w-]+)\.([\w-]*)\.([\w-]+)$/;
const secrets = new WeakMap<TokenKey, KeyObject>();

/**
 * The payload of a token whose HMAC-SHA-256 is right (RFC 7518 section 3.2); undefined for any other. In one go, where WebCrypto takes a turn of the event loop
 * and its thread pool. The caller has seen that the header says HS256.
 */
export function hs256Payload(token: string, header: Readonly<Record<string, unknown>>, key: TokenKey): Uint8Array | undefined {
  // RFC 7515 section 4.1.11: an extension that is critical and not known makes the token invalid. None is known here, nor RFC 7797's "b64".
  if (header['crit'] !== undefined || header['b64'] !== undefined) return undefined;
  const [, head, payload = '', signature = ''] = COMPACT.exec(token) ?? [];
  if (head === undefined) return undefined;
  const right = createHmac('sha256', secretOf(key)).update(`${head}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  return given.length === right.length && timingSafeEqual(given, right) ? Buffer.from(payload, 'base64url') : undefined;
}

function secretOf(key: TokenKey): KeyObject {
  const known = secrets.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key.material, 'utf8');
  secrets.set(key, made);
  return made;
}
