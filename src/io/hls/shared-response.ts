import { type AccessDecision, type AccessRefused, refusalText } from '../../access/mod.ts';
import { accessAnswer } from '../access-answers.ts';
import type { SharedResponse } from '../shared-route.ts';

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** Headers of every answer; media may be embedded anywhere, and players read these of a CDN in between. */
export const CORS = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  'Age, Content-Length, Content-Range, Date',
] as const;

/** A response of `status` with these bytes, shared and not copied. */
export function sharedResponse(
  status: number,
  type: string,
  cacheControl: string,
  bodies: readonly Uint8Array[],
  more: readonly string[] = [],
): SharedResponse {
  const chunks = bodies.map((body) => Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const headers = ['Content-Type', type, 'Content-Length', String(sizeBytes), 'Cache-Control', cacheControl, ...CORS, ...more];
  return { status, headers, chunks, sizeBytes };
}

const text = (status: number, cacheControl: string, body: string, more: readonly string[] = []): SharedResponse =>
  sharedResponse(status, 'text/plain; charset=utf-8', cacheControl, [Buffer.from(`${body}\n`)], more);

type Refusal = 'badDirective' | 'notFound' | 'notStarted' | 'methodNotAllowed' | 'tooLate' | 'tooMany' | 'closing';

/** The answers that carry no media. What may become right soon is not to be cached. */
export const REFUSALS: Readonly<Record<Refusal, SharedResponse>> = {
  badDirective: text(
    400,
    'public, max-age=10',
    'hls.bad-directive: _HLS_msn and _HLS_part must be decimal integers near the end of the playlist',
  ),
  notFound: text(404, 'public, max-age=1', 'hls.not-found: no such stream, playlist or segment; it may have left the window'),
  notStarted: text(404, 'no-store', "hls.source-not-started: the stream's source did not start in time; ask again", ['Retry-After', '5']),
  methodNotAllowed: text(405, 'public, max-age=60', 'hls.method-not-allowed: use GET, HEAD or OPTIONS', ['Allow', 'GET, HEAD, OPTIONS']),
  tooLate: text(503, 'no-store', 'hls.not-ready: what was asked for did not come in time; ask again', ['Retry-After', '1']),
  tooMany: text(503, 'no-store', 'hls.too-many-waiting: the limit of held requests is reached; ask again', ['Retry-After', '1']),
  closing: text(503, 'no-store', 'hls.closing: the server is stopping', ['Retry-After', '5']),
};

const accessRefusals = new Map<AccessRefused, SharedResponse>();

/** The answer to who may not play; never cached, as the next one may. */
export function accessRefusal(refusal: Exclude<AccessDecision, 'allowed'>): SharedResponse {
  const { refused, because } = refusal;
  const known = because === undefined ? accessRefusals.get(refused) : undefined;
  if (known !== undefined) return known;
  const { status, headers } = accessAnswer(refused);
  const made = text(status, 'no-store', `access.${refused}: ${refusalText(refusal)}`, Object.entries(headers).flat());
  if (because === undefined) accessRefusals.set(refused, made);
  return made;
}

/** The answer to who asks for a rendition that is offered otherwise, and why it is not for now. */
export const withheldRefusal = (reason: string): SharedResponse =>
  text(503, 'no-store', `hls.rendition-withheld: ${reason}; take another one`, ['Retry-After', '10']);

/** To another URL, for this client alone. */
export const redirection = (location: string): SharedResponse =>
  text(302, 'no-store', 'hls.token-in-path: the stream is at the address in Location', ['Location', location]);
