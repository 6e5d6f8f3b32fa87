import { headerValue, type WhipRequestHeaders } from './whip-message.ts';
import type { WhipCredential } from './whip-sessions.ts';

// RFC 6750 2.1, but any visible characters: stream keys are tokens, too.
const BEARER = /^Bearer +([\x21-\x7e]{1,4096})$/i;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/**
 * The credential of a request: `Authorization: Bearer …`, else `token` of the query for clients that can send no header (RFC 9725 4.7.1
 * allows a token in the URL). Undefined for an Authorization or a token that cannot be one.
 */
export function readCredential(headers: WhipRequestHeaders, query: string): WhipCredential | undefined {
  const authorization = headerValue(headers, 'authorization');
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization.trim())?.[1];
    return token === undefined ? undefined : { token };
  }
  const field = query.split('&').find((part) => part.startsWith('token='));
  if (field === undefined || field === 'token=') return {};
  const token = percentDecoded(field.slice('token='.length));
  return token !== undefined && TOKEN.test(token) ? { token } : undefined;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
