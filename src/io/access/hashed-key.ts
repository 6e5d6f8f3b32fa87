import { hash, randomBytes } from 'node:crypto';

const ID_BYTES = 8;
const SECRET_BYTES = 32;

/** A new id: 16 hexadecimal digits. */
export const newId = (): string => randomBytes(ID_BYTES).toString('hex');
/** A new secret: 43 characters of base64url. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
export const sha256Bytes = (text: string): Uint8Array => hash('sha256', text, 'buffer');
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

export const isoTime = (ms: number): string => new Date(ms).toISOString();
/** The property of an end, absent for what has none. */
export const expiryOf = (expiresAtMs: number | undefined): { expiresAt?: string } =>
  expiresAtMs === undefined ? {} : { expiresAt: isoTime(expiresAtMs) };

const SHOWN_MS_MAX = 1000;
const SHOWN_POLL_MS = 5;

/** Settles when the replica has what was written, so that who wrote it finds it at once; or after a second, since the replica may be cut off. */
export async function untilShown(isShown: () => boolean): Promise<void> {
  const deadline = performance.now() + SHOWN_MS_MAX;
  while (!isShown() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, SHOWN_POLL_MS));
}
