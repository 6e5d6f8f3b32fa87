import { STORE_KEY_LENGTH_MAX } from '../../cluster/mod.ts';
import { assert, isName } from '../../core/mod.ts';

const PARTS_MAX = 8;

/** Whether `key` can be a key of the store or a subject of the bus. */
export function isKey(key: string): boolean {
  if (key.length === 0 || key.length > STORE_KEY_LENGTH_MAX) return false;
  const parts = key.split('/');
  return parts.length <= PARTS_MAX && parts.every(isName);
}

/** Whether `prefix` is empty or a key followed by `/`. */
export const isPrefix = (prefix: string): boolean => prefix === '' || (prefix.endsWith('/') && isKey(prefix.slice(0, -1)));

/** What to say about a key that {@link isKey} does not take. */
export const badKey = (key: string): string =>
  `key ${JSON.stringify(key.slice(0, 80))} is not usable: take up to ${PARTS_MAX} parts joined by "/", each 1 to 64 letters, digits, "_", "." or "-", ${STORE_KEY_LENGTH_MAX} characters in all`;

/** A subscription's pattern taken apart. A wrong pattern is a bug of the caller. */
export interface Pattern {
  /** Without the wildcard and the `/` before it. */
  readonly base: string;
  readonly wildcard: '' | '*' | '**';
}

export function parsePattern(pattern: string): Pattern {
  const wildcard = pattern.endsWith('/**') ? '**' : pattern.endsWith('/*') ? '*' : '';
  const base = wildcard === '' ? pattern : pattern.slice(0, -wildcard.length - 1);
  assert(isKey(base), `bad subject pattern ${JSON.stringify(pattern)}`);
  return { base, wildcard };
}

export function matches({ base, wildcard }: Pattern, subject: string): boolean {
  if (wildcard === '') return subject === base;
  if (!subject.startsWith(`${base}/`)) return false;
  return wildcard === '**' || !subject.includes('/', base.length + 1);
}

// In NATS a subject's tokens are joined by dots. A name's own dots become `=`, which no name has and KV keys may have: so the way back is certain.
/** A key as the tokens of a NATS subject: `streams/live/show.1` is `streams.live.show=1`. */
export const toTokens = (key: string): string => key.replaceAll('.', '=').replaceAll('/', '.');

/** The key that {@link toTokens} made `tokens` of. */
export const fromTokens = (tokens: string): string => tokens.replaceAll('.', '/').replaceAll('=', '.');
