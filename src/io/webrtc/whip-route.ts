import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Logger } from 'pino';
import { ACCESS_REFUSALS, type AccessDecision, type AccessGate, type RefusalKind, refusalText } from '../../access/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import {
  parseSessionName,
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
import type { JoinTraces, TraceSpan } from '../tracing/mod.ts';
import { type BodyLimits, readBody } from './request-body.ts';

export interface WhipRouteOptions extends BodyLimits {
  readonly log: Logger;
  readonly endpoint: WhipEndpoint;
  /** Who may publish and play. */
  readonly access: AccessGate;
  /** Told which key or token has let a session in, where that could be taken away again. */
  readonly letIn?: (session: string, credential: string) => void;
  /** Bodies that are read at a time; further requests are answered with 503. */
  readonly readingMax: number;
  /** Absent: nothing is traced. */
  readonly joins?: JoinTraces;
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
  /** What let an offer in that is not answered yet. */
  private readonly credentials = new WeakMap<HttpResponse, string>();
  /** Joins that are traced, until they are answered. */
  private readonly traced = new WeakMap<HttpResponse, TraceSpan>();
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
    const { kind: act, ref } = target;
    const join = this.options.joins?.begin(act, ref, [headers['traceparent'] ?? []].flat()[0]);
    if (join !== undefined) this.traced.set(response, join);
    const decided = (decision: AccessDecision): void => {
      join?.event('admission decided');
      if (response.destroyed || response.writableEnded) {
        join?.end('whip.client-gone');
        return;
      }
      if (decision !== 'allowed') this.refuse(request, response, target, refusalOf(decision));
      else if (!this.isWaitedFor(request, response, target, query, body)) this.answer(request, response, target, query, body);
    };
    const page = headers.origin ?? headers.referer;
    const address = remoteAddress(request.socket);
    const letInBy = (by: string): unknown => this.credentials.set(response, by);
    this.options.access.admit({ act, ref, credential, address, page, protocol: act === 'publish' ? 'whip' : 'whep', letInBy }, decided);
  }

  private refuse(request: HttpRequest, response: HttpResponse, target: WhipTarget, refused: WhipRefused): void {
    const { endpoint, log } = this.options;
    const answered = endpoint.refuse(target, refused);
    const { status, code } = answered;
    log.debug({ code, status, stream: target.ref.path, remote: remoteAddress(request.socket) }, 'WHIP request refused');
    this.traced.get(response)?.end(code);
    send(request, response, answered);
  }

  /** A viewer's offer for a stream that somebody brings, or that has only just begun, is answered once it is here with its tracks. */
  private isWaitedFor(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string, body: WhipRequest['body']): boolean {
    const { door } = this.options;
    const isOffer = target.kind === 'play' && target.session === undefined && typeof body !== 'string' && body.length > 0;
    if (!isOffer || this.isClosing || door === undefined) return false;
    const stream = door.find(target.ref.path);
    if (stream !== undefined && stream.tracks.length > 0) return false;
    const gone = new AbortController();
    const join = this.traced.get(response);
    const bring = (): ReturnType<BringStream> => door.bring(target.ref, gone.signal);
    const brought = this.options.joins === undefined ? bring() : this.options.joins.during(join, bring);
    if (brought === undefined) return false;
    response.once('close', () => gone.abort());
    void brought.then((found) => {
      // Of one that has begun and sends nothing the endpoint says what there is to say.
      const isHere = found !== undefined || (!this.isClosing && door.find(target.ref.path) !== undefined);
      if (response.destroyed || response.writableEnded) join?.end('whip.client-gone');
      else if (isHere) this.answer(request, response, target, query, body);
      else {
        join?.end('whip.source-not-started');
        this.refuse(request, response, target, { refused: this.isClosing ? 'unavailable' : 'source-not-started' });
      }
    });
    return true;
  }

  private answer(request: HttpRequest, response: HttpResponse, target: WhipTarget, query: string, body: WhipRequest['body']): void {
    const { method = '', headers } = request;
    const address = remoteAddress(request.socket);
    const { joins } = this.options;
    const join = this.traced.get(response);
    const ask = (): WhipResponse => this.ask({ method, target, query, headers, body, address });
    const answered = joins === undefined ? ask() : joins.during(join, ask);
    const { status, code } = answered;
    // A session that was made goes on with it.
    if (status === 201) join?.event('answered');
    else join?.end(code);
    const by = this.credentials.get(response);
    if (status === 201 && by !== undefined) this.noteLetIn(answered, by);
    if (code !== undefined)
      this.options.log.debug({ code, status, method, stream: target.ref.path, remote: address }, 'WHIP request refused');
    send(request, response, answered);
  }

  private noteLetIn({ headers }: WhipResponse, by: string): void {
    const name = parseWhipPath(String(headers['location'] ?? ''))?.session;
    const session = name === undefined ? undefined : parseSessionName(name)?.id;
    if (session !== undefined) this.options.letIn?.(session, by);
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

type Refusal = Exclude<AccessDecision, 'allowed'>;

const WHIP_REFUSALS: Readonly<Record<RefusalKind, WhipRefusal>> = {
  missing: 'credential-missing',
  wrong: 'credential-wrong',
  forbidden: 'forbidden',
  'not-found': 'stream-not-found',
  'too-many': 'too-many-attempts',
  unavailable: 'unavailable',
};

/** Those that WHIP has codes of its own for have these; the others are told by the code of the access. */
function refusalOf(refusal: Refusal): WhipRefused {
  const { refused } = refusal;
  const { kind } = ACCESS_REFUSALS[refused];
  const isOwn = refused === 'key-missing' || refused === 'key-wrong' || refused === 'app-unknown' || refused === 'too-many-attempts';
  return { refused: WHIP_REFUSALS[kind], ...(isOwn ? {} : { code: `access.${refused}`, detail: `${sentence(refusalText(refusal))}.` }) };
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
