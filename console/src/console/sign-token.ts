/** What a token says; see the claims in the documents of apps and access. */
export interface TokenWish {
  /** `app/name`, `app/prefix*` or `app/*`. */
  readonly stream: string;
  readonly act: 'publish' | 'play';
  readonly holdsS: number;
  /** An address or network that it may be shown from; '' for any. */
  readonly addr: string;
  /** '' for none: then it cannot be revoked. */
  readonly jti: string;
}

/** The claims of a token that is made at `nowS`, Unix seconds. */
export function claimsOf({ stream, act, holdsS, addr, jti }: TokenWish, nowS: number): Readonly<Record<string, string | number>> {
  return { stream, act, exp: nowS + holdsS, ...(addr === '' ? {} : { addr }), ...(jti === '' ? {} : { jti }) };
}

/** A token by HS256 (RFC 7515 §3.1); the bytes of the secret's text are the key. Needs `crypto.subtle`, which pages have on https and localhost. */
export async function signToken(claims: Readonly<Record<string, unknown>>, kid: string, secret: string): Promise<string> {
  const header = { alg: 'HS256', typ: 'JWT', ...(kid === '' ? {} : { kid }) };
  const text = `${base64url(utf8(JSON.stringify(header)))}.${base64url(utf8(JSON.stringify(claims)))}`;
  const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return `${text}.${base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(text))))}`;
}

/** The same in a program: JavaScript with jose. */
export function signSnippet({ stream, act, holdsS, addr, jti }: TokenWish, kid: string): string {
  const claims = { stream, act, ...(addr === '' ? {} : { addr }), ...(jti === '' ? {} : { jti }) };
  const header = { alg: 'HS256', ...(kid === '' ? {} : { kid }) };
  return `import { SignJWT } from 'jose';

const token = await new SignJWT(${JSON.stringify(claims)})
  .setProtectedHeader(${JSON.stringify(header)})
  .setExpirationTime('${holdsS}s')
  .sign(new TextEncoder().encode(process.env.TOKEN_SECRET));`;
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
