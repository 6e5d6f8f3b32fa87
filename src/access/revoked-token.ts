import { decodeVersioned, encodeVersioned, readAmount, readText } from '../core/mod.ts';

/** A token that counts no more, under `revoked-tokens/ID`, where the id is made of app and `jti`. */
export interface RevokedToken {
  readonly v: 1;
  readonly id: string;
  readonly app: string;
  readonly jti: string;
  readonly revokedAtMs: number;
  /** When the token lapses by itself; the entry is of no use after it. */
  readonly expiresAtMs: number;
}

export const REVOKED_TOKENS_PREFIX = 'revoked-tokens/';
export const revokedTokenKey = (id: string): string => `${REVOKED_TOKENS_PREFIX}${id}`;
export const JTI_LENGTH_MAX = 128;

/** An app's name has no `/`, so two apps never share an id. */
export const revokedTokenId = (app: string, jti: string, sha256: (text: string) => Uint8Array): string =>
  Array.from(sha256(`${app}/${jti}`), (byte) => byte.toString(16).padStart(2, '0')).join('');

export const encodeRevokedToken = (record: RevokedToken): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no revoked token. */
export function decodeRevokedToken(bytes: Uint8Array): RevokedToken | undefined {
  const fields = decodeVersioned(bytes);
  const id = readText(fields?.['id'], 64);
  const app = readText(fields?.['app'], 64);
  const jti = readText(fields?.['jti'], JTI_LENGTH_MAX);
  if (fields === undefined || id === undefined || app === undefined || jti === undefined) return undefined;
  const expiresAtMs = readAmount(fields['expiresAtMs']) ?? Number.MAX_SAFE_INTEGER;
  return { v: 1, id, app, jti, revokedAtMs: readAmount(fields['revokedAtMs']) ?? 0, expiresAtMs };
}
