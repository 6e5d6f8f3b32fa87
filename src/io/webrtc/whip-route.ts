import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Logger } from 'pino';
import { ACCESS_REFUSALS, type AccessDecision, type AccessGate, type AccessRefused, type RefusalKind } from '../../access/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import {
  parseWhipPath,
  problemResponse,
  readCredential,
  type WhipEndpoint,
  type WhipRefusal,
  type WhipRefused,
  type WhipRequest,
  type WhipResponse,
  type WhipTarget,
} from '../../protocols/whip/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { BringStream } from '../stream-door.ts';
import { type BodyLimits, readBody } from './request-body.ts';

export interface WhipRouteOptions extends BodyLimits {
  readonly log: Logger;
  readonly endpoint: WhipEndpoint;
  /** Who may publish and play. */
  readonly access: AccessGate;
  /** Bodies that are read at a time; further requests are answered with 503. */
  readonly readingMax: number;
  /** How viewers get a stream that is not here; without it, none is waited for. */
  readonly door?: { readonly find: (path: string) => LiveStream | undefined; readonly bring: BringStream };
}

/** Sensible values for what need not be chosen. */
export const WHIP_ROUTE_DEFAULTS: Omit<WhipRouteOptions, 'log' | 'endpoint' | 'door' | 'access'> = {
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
      if (body !== 'gone') this.admit(request, response, target, query, body);
    });
  }

  /** Lets an offer in or refuses it; everything else is for sessions that were let in, whose URLs nobody can guess. */
  private admit(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string, body: WhipRequest['body']): void {
    const { headers, method } = request;
    const credential = method === 'POST' && target.session === undefined ? readCredential(headers, query) : undefined;
    if (credential === undefined) {
      // What cannot be a credential is refused by the endpoint itself.
      this.answer(request, response, target, query, body);
      return;
    }
    const decided = (decision: AccessDecision): void => {
      if (response.destroyed || response.writableEnded) return;
      if (decision !== 'allowed') this.refuse(request, response, target, decision.refused);
      else if (!this.isWaitedFor(request, response, target, query, body)) this.answer(request, response, target, query, body);
    };
    const { kind: act, ref } = target;
    const page = headers.origin ?? headers.referer;
    this.options.access.admit({ act, ref, credential, address: remoteAddress(request.socket), page }, decided);
  }

  private refuse(request: HttpRequest, response: HttpResponse, target: WhipTarget, refused: AccessRefused): void {
    const { endpoint, log } = this.options;
    const answered = endpoint.refuse(target, refusalOf(refused));
    const { status, code } = answered;
    log.debug({ code, status, stream: target.ref.path, remote: remoteAddress(request.socket) }, 'WHIP request refused');
    send(request, response, answered);
  }

  /** A viewer's offer for a stream that somebody brings is answered once it is here. */
  private isWaitedFor(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string, body: WhipRequest['body']): boolean {
    const { door } = this.options;
    const isOffer = target.kind === 'play' && target.session === undefined && typeof body !== 'string' && body.length > 0;
    if (!isOffer || this.isClosing || door === undefined || door.find(target.ref.path) !== undefined) return false;
    const gone = new AbortController();
    const brought = door.bring(target.ref, gone.signal);
    if (brought === undefined) return false;
    response.once('close', () => gone.abort());
    void brought.then((stream) => {
      if (response.destroyed || response.writableEnded) return;
      if (stream !== undefined) this.answer(request, response, target, query, body);
      else send(request, response, problemResponse(this.isClosing ? 'unavailable' : 'source-not-started'));
    });
    return true;
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

const WHIP_REFUSALS: Readonly<Record<RefusalKind, WhipRefusal>> = {
  missing: 'credential-missing',
  wrong: 'credential-wrong',
  forbidden: 'forbidden',
  'not-found': 'stream-not-found',
  'too-many': 'too-many-attempts',
  unavailable: 'unavailable',
};

/** Those that WHIP has codes of its own for have these; the others are told by the code of the access. */
function refusalOf(refused: AccessRefused): WhipRefused {
  const { kind, message } = ACCESS_REFUSALS[refused];
  const isOwn = refused === 'key-missing' || refused === 'key-wrong' || refused === 'app-unknown' || refused === 'too-many-attempts';
  return { refused: WHIP_REFUSALS[kind], ...(isOwn ? {} : { code: `access.${refused}`, detail: `${sentence(message)}.` }) };
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

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
