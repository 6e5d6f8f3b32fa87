import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { AccessRefused } from '../../access/mod.ts';
import { accessAnswer } from '../access-answers.ts';

/** Codes are never renamed. */
export type FlvRefusal = OwnRefusal | `access.${AccessRefused}`;

type OwnRefusal = 'flv.stream-not-found' | 'flv.source-not-started' | 'flv.method-not-allowed' | 'flv.too-many-viewers' | 'flv.closing';

const REFUSALS: Readonly<
  Record<OwnRefusal, { readonly status: number; readonly title: string; readonly headers: Readonly<Record<string, string>> }>
> = {
  'flv.stream-not-found': { status: 404, title: 'There is no such stream', headers: {} },
  'flv.source-not-started': { status: 404, title: "The stream's source did not start in time", headers: { 'retry-after': '5' } },
  'flv.method-not-allowed': { status: 405, title: 'The method is not allowed here', headers: { allow: 'GET, HEAD, OPTIONS' } },
  'flv.too-many-viewers': { status: 503, title: 'The server has as many viewers as it may', headers: { 'retry-after': '5' } },
  'flv.closing': { status: 503, title: 'The server is stopping', headers: { 'retry-after': '5' } },
};

const ACCESS = 'access.';
const CORS: Readonly<Record<string, string>> = { 'access-control-allow-origin': '*' };
const MEDIA_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'video/x-flv', 'cache-control': 'no-store', ...CORS };
const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  ...CORS,
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Range',
  'access-control-max-age': '86400',
};

/** Written by hand to an HTTP/1.1 socket: neither length nor chunks, the body ends with the connection (RFC 9112 6.3). */
export const MEDIA_HEAD: Buffer = Buffer.from(headText(200, { ...MEDIA_HEADERS, connection: 'close' }));

function headText(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
}

export type FlvRequest = IncomingMessage | Http2ServerRequest;
export type FlvResponse = ServerResponse | Http2ServerResponse;

/** HTTP/2's response has the same methods, but declares them apart. */
const plain = (response: FlvResponse): ServerResponse => response as ServerResponse;

/** Sends the head of the media; on HTTP/2 the body follows on the stream. */
export function sendMediaHead(response: FlvResponse): void {
  plain(response).writeHead(200, { ...MEDIA_HEADERS });
}

export function sendPreflight(response: FlvResponse): void {
  plain(response)
    .writeHead(204, { ...PREFLIGHT_HEADERS })
    .end();
}

/** Answers with a problem document (RFC 9457). */
export function sendRefusal(request: FlvRequest, response: FlvResponse, refusal: FlvRefusal, path: string, because?: string): void {
  const { status, headers, body } = problem(refusal, path, because);
  plain(response)
    .writeHead(status, headers)
    .end(request.method === 'HEAD' ? undefined : body);
}

/** Answers an upgrade request with a problem document and closes the connection. */
export function refuseUpgrade(socket: Duplex, refusal: FlvRefusal, path: string, because?: string): void {
  const { status, headers, body } = problem(refusal, path, because);
  socket.end(headText(status, { ...headers, connection: 'close' }) + body, () => socket.destroy());
}

function answerOf(refusal: FlvRefusal): (typeof REFUSALS)[OwnRefusal] {
  if (!refusal.startsWith(ACCESS)) return REFUSALS[refusal as OwnRefusal];
  const { status, headers, message } = accessAnswer(refusal.slice(ACCESS.length) as AccessRefused);
  return { status, title: message.charAt(0).toUpperCase() + message.slice(1), headers };
}

function problem(
  refusal: FlvRefusal,
  path: string,
  because: string | undefined,
): { status: number; headers: Record<string, string>; body: string } {
  const { status, title, headers } = answerOf(refusal);
  const body = JSON.stringify({
    type: `urn:sluice:problem:${refusal}`,
    title,
    status,
    detail: `${because ?? title}: ${path}`,
    code: refusal,
  });
  const length = String(Buffer.byteLength(body));
  return {
    status,
    headers: { ...headers, ...CORS, 'content-type': 'application/problem+json', 'content-length': length, 'cache-control': 'no-store' },
    body,
  };
}
