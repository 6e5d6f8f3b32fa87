import { isName, type StreamRef } from '../core/mod.ts';
import type { TokenSettings } from './app-record.ts';
import { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.ts';
import { JTI_LENGTH_MAX } from './revoked-token.ts';

export type AccessAct = 'publish' | 'play';

/** What a signed token says. Times are seconds since 1970, as in RFC 7519. */
export interface TokenClaims {
  /** `app/name`, `app/prefix*` or `app/*`. */
  readonly stream: string;
  readonly act: AccessAct;
  readonly exp: number;
  readonly nbf: number | undefined;
  /** From where it may be shown. */
  readonly addr: readonly IpNetwork[] | undefined;
  /** By which it can be revoked. */
  readonly jti: string | undefined;
}

/** Why a token is not taken. Never renamed. */
export type TokenRefused =
  | 'token-malformed'
  | 'token-algorithm'
  | 'token-signature'
  | 'token-claims'
  | 'token-issuer'
  | 'token-audience'
  | 'token-expired'
  | 'token-not-yet'
  | 'token-revoked'
  | 'token-act'
  | 'token-stream'
  | 'token-address'
  | 'token-keys-unavailable';

export const TOKEN_LENGTH_MAX = 4096;
/** What `aud` of a token has to be for which the app sets nothing else. */
const TOKEN_AUDIENCE = 'sluice';
const ADDR_MAX = 16;
/** Clocks of those who make tokens may be ahead by so much. */
const NOT_BEFORE_LEEWAY_S = 5;

// Three parts of base64url (RFC 7515 section 3.1), the first of which begins with what "{" and a quote or blank become.
const JWT = /^e[A-Za-z0-9_-]{1,2047}\.[A-Za-z0-9_-]{0,3072}\.[A-Za-z0-9_-]{0,1024}$/;

/** Whether a text has the form of a signed token, so that it is none of a stream key. */
export const isTokenLike = (text: string): boolean => text.length <= TOKEN_LENGTH_MAX && JWT.test(text);

/** Reads the claims of a token whose signature is right. Names of others (RFC 7519) are not looked at. */
export function readClaims(payload: unknown, settings: TokenSettings): TokenClaims | { readonly refused: TokenRefused } {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return { refused: 'token-claims' };
  const claims = payload as Readonly<Record<string, unknown>>;
  const { iss, aud, act, exp, nbf, jti } = claims;
  if (settings.issuer !== undefined && iss !== settings.issuer) return { refused: 'token-issuer' };
  if (!isForUs(aud, settings.audience)) return { refused: 'token-audience' };
  const stream = claims['stream'] ?? claims['sub'];
  const addr = readAddr(claims['addr']);
  if (typeof stream !== 'string' || !isPattern(stream) || (act !== 'publish' && act !== 'play') || addr === 'wrong')
    return { refused: 'token-claims' };
  if (!isTime(exp) || !(nbf === undefined || isTime(nbf)) || !isJti(jti)) return { refused: 'token-claims' };
  return { stream, act, exp, nbf, addr, jti };
}

export interface TokenUse {
  readonly act: AccessAct;
  readonly ref: StreamRef;
  /** The peer's IP address. */
  readonly address: string;
}

/** Whether a token may be used so now; undefined: it may. */
export function judgeClaims(claims: TokenClaims, { act, ref, address }: TokenUse, nowWallMs: number): TokenRefused | undefined {
  const nowS = nowWallMs / 1000;
  if (nowS >= claims.exp) return 'token-expired';
  if (claims.nbf !== undefined && nowS < claims.nbf - NOT_BEFORE_LEEWAY_S) return 'token-not-yet';
  if (claims.act !== act) return 'token-act';
  if (!isCovered(ref.path, claims.stream)) return 'token-stream';
  return claims.addr === undefined || isAmong(address, claims.addr) ? undefined : 'token-address';
}

/** Whether an address is of one of the networks. */
export function isAmong(address: string, networks: readonly IpNetwork[]): boolean {
  const parsed = parseIpAddress(address);
  return parsed !== undefined && networks.some((network) => isInNetwork(parsed, network));
}

/** `app/name`, or with `*` at the end for all that begin so; never over the app's end. */
export function isPattern(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (slash < 0 || !isName(text.slice(0, slash))) return false;
  return name === '*' || isName(name.endsWith('*') ? name.slice(0, -1) : name);
}

const isCovered = (path: string, pattern: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

/** RFC 7519 section 4.1.3: one that names an audience is not for others. */
function isForUs(aud: unknown, wanted: string | undefined): boolean {
  if (aud === undefined) return wanted === undefined;
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return all.includes(wanted ?? TOKEN_AUDIENCE);
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isJti = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value !== '' && value.length <= JTI_LENGTH_MAX);

function readAddr(value: unknown): readonly IpNetwork[] | undefined | 'wrong' {
  if (value === undefined) return undefined;
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (all.length === 0 || all.length > ADDR_MAX || !all.every((text) => typeof text === 'string')) return 'wrong';
  try {
    return all.map((text) => parseIpNetwork(text));
  } catch {
    return 'wrong';
  }
}
