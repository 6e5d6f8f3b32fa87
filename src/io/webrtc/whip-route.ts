import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Logger } from 'pino';
import {
  parseWhipPath,
  problemResponse,
  type WhipEndpoint,
  type WhipRequest,
  type WhipResponse,
  type WhipTarget,
} from '../../protocols/whip/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import { type BodyLimits, readBody } from './request-body.ts';

export interface WhipRouteOptions extends BodyLimits {
  readonly log: Logger;
  readonly endpoint: WhipEndpoint;
  /** Bodies that are read at a time; further requests are answered with 503. */
  readonly readingMax: number;
}

/** Sensible values for what need not be chosen. */
export const WHIP_ROUTE_DEFAULTS: Omit<WhipRouteOptions, 'log' | 'endpoint'> = {
  bodyBytesMax: 64 * 1024,
  bodyTimeoutMs: 10_000,
  readingMax: 1_000,
};

type HttpRequest = IncomingMessage | Http2ServerRequest;
type HttpResponse = ServerResponse | Http2ServerResponse;

const NO_BODY = new Uint8Array(0);
const HTTP2_NO_ERROR = 0;

/** Serves WHIP and WHEP: `/APP/NAME/whip`, `/APP/NAME/whep` and the sessions below them, by HTTP/1.1 and HTTP/2. */
export class WhipRoute {
  private readonly options: WhipRouteOptions;
  private reading = 0;
  private isClosing = false;

  constructor(options: WhipRouteOptions) {
    this.options = options;
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    const target = parseWhipPath(path);
    if (target === undefined) return false;
    if (hasBody(request)) this.read(request, response, target, query);
    else this.answer(request, response, target, query, NO_BODY);
    return true;
  };

  /** Refuses new sessions and changes from here on; those that are there can still be ended. */
  close(): void {
    this.isClosing = true;
  }

  private read(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string): void {
    if (this.isClosing) {
      send(request, response, problemResponse('unavailable', { detail: 'The server is stopping.' }));
      return;
    }
    if (this.reading >= this.options.readingMax) {
      this.answer(request, response, target, query, 'too-many');
      return;
    }
    this.reading++;
    readBody(request, this.options, (body) => {
      this.reading--;
      if (body !== 'gone') this.answer(request, response, target, query, body);
    });
  }

  private answer(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string, body: WhipRequest['body']): void {
    const { method = '', headers } = request;
    const address = remoteAddress(request.socket);
    const answered = this.ask({ method, target, query, headers, body, address });
    const { status, code } = answered;
    if (code !== undefined)
      this.options.log.debug({ code, status, method, stream: target.ref.path, remote: address }, 'WHIP request refused');
    send(request, response, answered);
  }

  /** A bug of ours ends this request, never the process: bodies arrive outside the HTTP server's own net. */
  private ask(request: WhipRequest): WhipResponse {
    try {
      return this.options.endpoint.handle(request);
    } catch (error) {
      this.options.log.error(
        { code: 'whip.internal', err: error, stream: request.target.ref.path },
        'a WHIP request could not be answered',
      );
      return problemResponse('internal');
    }
  }
}

/** Whether the request's body is looked at. */
const hasBody = ({ method }: HttpRequest): boolean => method === 'POST' || method === 'PATCH';

function send(request: HttpRequest, response: HttpResponse, { status, headers, body }: WhipResponse): void {
  if (response.writableEnded || response.destroyed) return;
  // HTTP/2's response has the same methods, but declares them apart.
  const plain = response as ServerResponse;
  for (const [name, value] of Object.entries(headers)) plain.setHeader(name, value);
  // RFC 9110 8.6: none with 204.
  if (status !== 204) plain.setHeader('content-length', Buffer.byteLength(body));
  // Of a request without a body this is not known yet, and does not matter.
  const isRestUnread = hasBody(request) && !request.complete;
  if (isRestUnread && !('stream' in response)) plain.setHeader('connection', 'close');
  plain.writeHead(status);
  plain.end(request.method === 'HEAD' ? undefined : body);
  // RFC 9113 8.1: the rest of a body that is not wanted is asked off without an error.
  if (isRestUnread && 'stream' in response) response.stream.once('finish', () => response.stream.close(HTTP2_NO_ERROR));
}
