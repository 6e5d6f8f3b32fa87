import { hasExpired } from './secret-key.ts';
import type { SigningSecret } from './webhook-record.ts';

export const SIGNATURE_HEADER = 'X-Sluice-Signature';

/** HMAC-SHA-256 of the text under the secret, both as UTF-8; in hexadecimal. */
export type Hmac = (secret: string, text: string) => string;

/**
 * The value of {@link SIGNATURE_HEADER}: when the request was made, in seconds since 1970, and a signature over this time and the body by each secret that
 * counts. The time is signed, so that a receiver can refuse a request that somebody has kept.
 */
export function signatureOf(secrets: readonly SigningSecret[], body: string, wallMs: number, hmac: Hmac): string {
  const t = Math.floor(wallMs / 1000);
  const macs = secrets
    .filter(({ expiresAtMs }) => !hasExpired(expiresAtMs, wallMs))
    .map(({ secret }) => `v1=${hmac(secret, `${t}.${body}`)}`);
  return [`t=${t}`, ...macs].join(',');
}
