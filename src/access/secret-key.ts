import { decodeVersioned, encodeVersioned, isName, readAmount, readText, type UnknownFields } from '../core/mod.ts';
import { NOTE_LENGTH_MAX } from './app-record.ts';

/** One secret of a key, as its hash. */
export interface HashedSecret {
  /** SHA-256 of the whole key as its holder has it, in hexadecimal. */
  readonly sha256: string;
  /** Until when it counts: the old secret of a key that was given a new one. */
  readonly expiresAtMs: number | undefined;
}

/** What the store keeps of a stream key, under `keys/ID`. */
export interface StreamKeyRecord {
  readonly v: 1;
  readonly id: string;
  readonly app: string;
  /** The one stream that it may publish; undefined: all of the app. */
  readonly stream: string | undefined;
  /** The newest first. */
  readonly secrets: readonly HashedSecret[];
  readonly expiresAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly note: string;
}

/** What an API key may do: everything; see everything; everything that concerns one app. */
export type ApiKeyScope = 'admin' | 'read' | `app:${string}`;

/** What the store keeps of an API key, under `api-keys/ID`. */
export interface ApiKeyRecord {
  readonly v: 1;
  readonly id: string;
  readonly scopes: readonly ApiKeyScope[];
  /** SHA-256 of the whole key, in hexadecimal. */
  readonly sha256: string;
  readonly expiresAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly note: string;
  /** The manager in whose data folder it was made; absent: it was made by the API. */
  readonly node?: string;
}

export const STREAM_KEYS_PREFIX = 'keys/';
export const streamKeyKey = (id: string): string => `${STREAM_KEYS_PREFIX}${id}`;
export const API_KEYS_PREFIX = 'api-keys/';
export const apiKeyKey = (id: string): string => `${API_KEYS_PREFIX}${id}`;
/** A new secret, and the old one while it still counts. */
const SECRETS_MAX = 2;
const SCOPES_MAX = 100;

// 16 hexadecimal digits tell which key it is, 32 random bytes in base64url that it is the right one.
const STREAM_KEY = /^([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/;
const API_KEY = /^sk_([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/;

export const formatStreamKey = (id: string, secret: string): string => `${id}.${secret}`;
export const formatApiKey = (id: string, secret: string): string => `sk_${id}.${secret}`;
/** The id in a key's text; undefined for a text that is none of a kept key. */
export const streamKeyId = (text: string): string | undefined => STREAM_KEY.exec(text)?.[1];
export const apiKeyId = (text: string): string | undefined => API_KEY.exec(text)?.[1];
/** The id of a key whose text names none, from its SHA-256 in hexadecimal: keys that were made in a data folder. */
export const apiKeyIdOfHash = (sha256: string): string => sha256.slice(0, 16);

/** `app:NAME`, `admin` or `read`. */
export const isApiKeyScope = (text: string): text is ApiKeyScope =>
  text === 'admin' || text === 'read' || (text.startsWith('app:') && isName(text.slice('app:'.length)));

export const encodeStreamKey = (record: StreamKeyRecord): Uint8Array => encodeVersioned(record);
export const encodeApiKey = (record: ApiKeyRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no stream key. */
export function decodeStreamKey(bytes: Uint8Array): StreamKeyRecord | undefined {
  const fields = decodeVersioned(bytes);
  const id = readText(fields?.['id'], 64);
  const app = readText(fields?.['app'], 64);
  const secrets = fields?.['secrets'];
  if (fields === undefined || id === undefined || app === undefined || !Array.isArray(secrets)) return undefined;
  const { stream } = fields;
  // A key for one stream that cannot be read must not become one for all.
  if (stream !== undefined && (typeof stream !== 'string' || !isName(stream))) return undefined;
  const read = secrets.map((secret: unknown) => readSecret(secret)).filter((secret) => secret !== undefined);
  return { v: 1, id, app, stream, secrets: read.slice(0, SECRETS_MAX), ...readTimes(fields) };
}

/** Reads borrowed bytes; undefined for what is no API key. */
export function decodeApiKey(bytes: Uint8Array): ApiKeyRecord | undefined {
  const fields = decodeVersioned(bytes);
  const id = readText(fields?.['id'], 64);
  const sha256 = readHash(fields?.['sha256']);
  const scopes = fields?.['scopes'];
  if (fields === undefined || id === undefined || sha256 === undefined || !Array.isArray(scopes)) return undefined;
  const known = scopes.filter((scope): scope is ApiKeyScope => typeof scope === 'string' && isApiKeyScope(scope));
  const node = readText(fields['node'], 64);
  return { v: 1, id, scopes: known.slice(0, SCOPES_MAX), sha256, ...readTimes(fields), ...(node === undefined ? {} : { node }) };
}

/** Whether a time has come by which something ends; undefined is never. */
export const hasExpired = (expiresAtMs: number | undefined, nowWallMs: number): boolean =>
  expiresAtMs !== undefined && nowWallMs >= expiresAtMs;

/** Takes the same time wherever the first difference is. `stored` is hexadecimal. */
export function isSameHash(stored: string, given: Uint8Array): boolean {
  let difference = stored.length ^ (given.length * 2);
  for (let index = 0; index < given.length; index++) {
    difference |= Number.parseInt(stored.slice(index * 2, index * 2 + 2), 16) ^ (given[index] ?? 0);
  }
  return difference === 0;
}

function readTimes(fields: UnknownFields): { expiresAtMs: number | undefined; createdAtMs: number; note: string } {
  return {
    expiresAtMs: readExpiry(fields['expiresAtMs']),
    createdAtMs: readAmount(fields['createdAtMs']) ?? 0,
    note: readText(fields['note'], NOTE_LENGTH_MAX) ?? '',
  };
}

/** An end that cannot be read has come. */
const readExpiry = (value: unknown): number | undefined => (value === undefined ? undefined : (readAmount(value) ?? 0));

function readSecret(value: unknown): HashedSecret | undefined {
  const fields = (value ?? {}) as UnknownFields;
  const sha256 = readHash(fields['sha256']);
  return sha256 === undefined ? undefined : { sha256, expiresAtMs: readExpiry(fields['expiresAtMs']) };
}

const readHash = (value: unknown): string | undefined => (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined);
