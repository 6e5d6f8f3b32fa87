import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { SharedReply, SharedResponse } from '../shared-route.ts';
import { CORS } from './shared-response.ts';

type HttpRequest = IncomingMessage | Http2ServerRequest;
type HttpResponse = ServerResponse | Http2ServerResponse;

const PREFLIGHT_HEADERS: string[] = [
  ...CORS,
  'Access-Control-Allow-Methods',
  'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers',
  'Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status',
  'Access-Control-Max-Age',
  '86400',
];

/** HTTP/2's response has the same methods, but declares them apart. */
const plain = (response: HttpResponse): ServerResponse => response as ServerResponse;

/** Answers by node:http or node:http2 with a shared response, or the range of it that was asked for. */
export class NodeReply implements SharedReply {
  private readonly request: HttpRequest;
  private readonly response: HttpResponse;

  constructor(request: HttpRequest, response: HttpResponse) {
    this.request = request;
    this.response = response;
  }

  get isGone(): boolean {
    return 'stream' in this.response ? this.response.stream.destroyed : this.response.destroyed;
  }

  send(shared: SharedResponse): number {
    const { request, response } = this;
    const { range } = request.headers;
    if (range !== undefined && shared.status === 200) {
      const bounds = parseRange(range, shared.sizeBytes);
      if (bounds !== undefined) return sendRange(request, response, shared, bounds);
    }
    plain(response).writeHead(shared.status, [...shared.headers]);
    return sendBody(request, response, shared.chunks, shared.sizeBytes);
  }
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
