import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** A response made once for everybody: raw header list and body in chunks, none of them ever written to. */
export interface SharedResponse {
  readonly status: number;
  readonly headers: string[];
  readonly chunks: readonly Buffer[];
  readonly sizeBytes: number;
}

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** Headers of every answer; media may be embedded anywhere, and players read these of a CDN in between. */
const CORS = ['Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', 'Age, Content-Length, Content-Range, Date'] as const;

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

type Refusal = 'badDirective' | 'notFound' | 'methodNotAllowed' | 'tooLate' | 'tooMany' | 'closing';

/** The answers that carry no media. What may become right soon is not to be cached. */
export const REFUSALS: Readonly<Record<Refusal, SharedResponse>> = {
  badDirective: text(
    400,
    'public, max-age=10',
    'hls.bad-directive: _HLS_msn and _HLS_part must be decimal integers near the end of the playlist',
  ),
  notFound: text(404, 'public, max-age=1', 'hls.not-found: no such stream, playlist or segment; it may have left the window'),
  methodNotAllowed: text(405, 'public, max-age=60', 'hls.method-not-allowed: use GET, HEAD or OPTIONS', ['Allow', 'GET, HEAD, OPTIONS']),
  tooLate: text(503, 'no-store', 'hls.not-ready: what was asked for did not come in time; ask again', ['Retry-After', '1']),
  tooMany: text(503, 'no-store', 'hls.too-many-waiting: the limit of held requests is reached; ask again', ['Retry-After', '1']),
  closing: text(503, 'no-store', 'hls.closing: the server is stopping', ['Retry-After', '5']),
};

const PREFLIGHT_HEADERS: string[] = [
  ...CORS,
  'Access-Control-Allow-Methods',
  'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers',
  'Range',
  'Access-Control-Max-Age',
  '86400',
];

/** HTTP/2's response has the same methods, but declares them apart. */
const plain = (response: HttpResponse): ServerResponse => response as ServerResponse;

/** Whether the other side has gone and an answer would be lost. */
export function isGone(response: HttpResponse): boolean {
  return 'stream' in response ? response.stream.destroyed : response.destroyed;
}

/** Sends a shared response, or the range of it that was asked for. Returns the body bytes given to the socket. */
export function send(request: HttpRequest, response: HttpResponse, shared: SharedResponse): number {
  const { range } = request.headers;
  if (range !== undefined && shared.status === 200) {
    const bounds = parseRange(range, shared.sizeBytes);
    if (bounds !== undefined) return sendRange(request, response, shared, bounds);
  }
  plain(response).writeHead(shared.status, shared.headers);
  return sendBody(request, response, shared.chunks, shared.sizeBytes);
}

/** Answers a CORS preflight. */
export function sendPreflight(response: HttpResponse): void {
  plain(response).writeHead(204, PREFLIGHT_HEADERS).end();
}

function sendBody(request: HttpRequest, response: HttpResponse, chunks: readonly Buffer[], sizeBytes: number): number {
  if (request.method === 'HEAD') {
    response.end();
    return 0;
  }
  const last = chunks.length - 1;
  const writable = plain(response);
  for (let i = 0; i < last; i++) writable.write(chunks[i]);
  writable.end(chunks[last]);
  return sizeBytes;
}

type ByteRange = readonly [from: number, to: number];

/** A single byte range (RFC 9110, 14.1.2); `undefined` for what may be ignored, an empty range for what cannot be met. */
function parseRange(range: string, sizeBytes: number): ByteRange | undefined {
  if (!range.startsWith('bytes=') || range.includes(',')) return undefined;
  const dash = range.indexOf('-');
  if (dash < 0 || range.length > 40) return undefined;
  const first = range.slice(6, dash);
  const last = range.slice(dash + 1);
  const from = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const to = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (!Number.isInteger(from) || !Number.isInteger(to) || (first === '' && last === '')) return undefined;
  return [from, to];
}

function sendRange(request: HttpRequest, response: HttpResponse, shared: SharedResponse, [from, to]: ByteRange): number {
  const headers = shared.headers.slice();
  if (from > to || from < 0) {
    headers[3] = '0';
    plain(response)
      .writeHead(416, [...headers, 'Content-Range', `bytes */${shared.sizeBytes}`])
      .end();
    return 0;
  }
  const sizeBytes = to - from + 1;
  headers[3] = String(sizeBytes);
  plain(response).writeHead(206, [...headers, 'Content-Range', `bytes ${from}-${to}/${shared.sizeBytes}`]);
  const chunks: Buffer[] = [];
  let at = 0;
  for (const chunk of shared.chunks) {
    const piece = chunk.subarray(Math.max(0, from - at), Math.max(0, to + 1 - at));
    if (piece.length > 0) chunks.push(piece);
    at += chunk.length;
  }
  return sendBody(request, response, chunks, sizeBytes);
}
