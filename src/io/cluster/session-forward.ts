import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type pino from 'pino';
import type { NodeView } from '../../cluster/mod.ts';
import { parseSessionName, parseWhipPath, problemResponse, type WhipResponse } from '../../protocols/whip/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import type { NodeAnswer, NodeQuestion, RelayUpstream } from '../relay/mod.ts';
import { type BodyLimits, readBody } from '../webrtc/mod.ts';
import { relayAddressOf } from './relay-address.ts';

export interface SessionForwardOptions extends BodyLimits {
  readonly ownId: string;
  /** The replica of the cluster's nodes. */
  readonly node: (id: string) => NodeView | undefined;
  /** Asks a node by mutual TLS; rejects when it cannot be asked. */
  readonly ask: (owner: RelayUpstream, question: NodeQuestion) => Promise<NodeAnswer>;
  /** How long the owner may take to answer. */
  readonly answerTimeoutMs: number;
  readonly answerBytesMax: number;
  /** Requests under way at a time; further ones are answered with 503. */
  readonly forwardedMax: number;
  readonly log: pino.Logger;
}

/** Sensible values for what need not be chosen. */
export const SESSION_FORWARD_DEFAULTS: Pick<
  SessionForwardOptions,
  'bodyBytesMax' | 'bodyTimeoutMs' | 'answerTimeoutMs' | 'answerBytesMax' | 'forwardedMax'
> = { bodyBytesMax: 64 * 1024, bodyTimeoutMs: 10_000, answerTimeoutMs: 5_000, answerBytesMax: 256 * 1024, forwardedMax: 500 };

type HttpRequest = IncomingMessage | Http2ServerRequest;
type HttpResponse = ServerResponse | Http2ServerResponse;

/** Before the paths of sessions that other nodes ask for. */
const SESSIONS = '/sessions';
const REQUEST_HEADERS = ['content-type', 'content-encoding', 'if-match', 'if-none-match', 'authorization', 'accept', 'user-agent'];
const ANSWER_HEADERS = [
  'content-type',
  'etag',
  'location',
  'link',
  'allow',
  'accept-patch',
  'accept-post',
  'retry-after',
  'www-authenticate',
  'cache-control',
  'access-control-allow-origin',
  'access-control-expose-headers',
];

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Lets the URLs of WHIP and WHEP sessions work on every node: what is for a session of another node is asked of that node, whose id stands in the URL. Only
 * nodes that are known are asked, at their relay ports. Preflight requests are left to the route, which answers them for any session.
 */
export class SessionForward {
  private readonly options: SessionForwardOptions;
  private underWay = 0;

  constructor(options: SessionForwardOptions) {
    this.options = options;
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    const ownerId = ownerOf(path);
    const { ownId, node } = this.options;
    // A session's name that no node can have made is the route's affair, which knows no such session.
    if (ownerId === undefined || ownerId === ownId || request.method === 'OPTIONS') return false;
    const owner = node(ownerId);
    // A node that is gone took its sessions with it (RFC 9725 4.2: 404).
    if (owner === undefined || owner.isStale) send(request, response, problemResponse('session-not-found'));
    else this.forward(request, response, owner, `${SESSIONS}${path}${query === '' ? '' : `?${query}`}`);
    return true;
  };

  /** What other nodes ask of this one for their clients: `route` answers it, for sessions of this node alone, so that nothing is forwarded twice. */
  answered(route: MediaRoute): MediaRoute {
    return (request, response, path, query) => {
      if (!path.startsWith(`${SESSIONS}/`)) return false;
      const own = path.slice(SESSIONS.length);
      if (ownerOf(own) === this.options.ownId && route(request, response, own, query)) return true;
      send(request, response, problemResponse('session-not-found'));
      return true;
    };
  }

  private forward(request: HttpRequest, response: HttpResponse, owner: NodeView, path: string): void {
    if (this.underWay >= this.options.forwardedMax) {
      send(request, response, problemResponse('too-busy'));
      return;
    }
    this.underWay++;
    const asked = (body: Uint8Array | undefined): void =>
      void this.ask(request, response, owner, path, body).then((answer) => {
        this.underWay--;
        send(request, response, answer);
      });
    if (request.method !== 'POST' && request.method !== 'PATCH') {
      asked(undefined);
      return;
    }
    readBody(request, this.options, (body) => {
      if (typeof body !== 'string') asked(body);
      else {
        this.underWay--;
        if (body !== 'gone') send(request, response, problemResponse(body === 'too-large' ? 'body-too-large' : 'body-timeout'));
      }
    });
  }

  private async ask(
    { method = '', headers }: HttpRequest,
    response: HttpResponse,
    owner: NodeView,
    path: string,
    body: Uint8Array | undefined,
  ): Promise<Answer | WhipResponse> {
    const { ask, answerTimeoutMs, answerBytesMax, log } = this.options;
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client went away')));
    const limits = { timeoutMs: answerTimeoutMs, answerBytesMax, gone: gone.signal };
    const upstream = relayAddressOf(owner);
    try {
      if (upstream === undefined) throw new Error('it has not said where it answers other nodes');
      const answer = await ask(upstream, { method, path, headers: some(headers, REQUEST_HEADERS), body, ...limits });
      return { status: answer.status, headers: some(answer.headers, ANSWER_HEADERS), body: answer.body };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ code: 'cluster.owner-unreachable', node: owner.record.id, reason }, 'a WebRTC session of another node could not be asked');
      const { status: _busy, ...problem } = problemResponse('unavailable', { code: 'cluster.owner-unreachable', detail: DETAIL });
      return { ...problem, status: 502 };
    }
  }
}

const DETAIL = 'The node that has this session does not answer. It may be over: make a new one by POST to the endpoint.';

/** The node that has the session of this URL; undefined: it is no session's. */
function ownerOf(path: string): string | undefined {
  const session = parseWhipPath(path)?.session;
  return session === undefined ? undefined : parseSessionName(session)?.nodeId;
}

function some(headers: OutgoingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const])));
}

function send(request: HttpRequest, response: HttpResponse, { status, headers, body }: Answer | WhipResponse): void {
  if (response.writableEnded || response.destroyed) return;
  // HTTP/2's response has the same methods, but declares them apart.
  const plain = response as ServerResponse;
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) plain.setHeader(name, value as string | readonly string[]);
  // RFC 9110 8.6: none with 204.
  if (status !== 204) plain.setHeader('content-length', Buffer.byteLength(body));
  plain.writeHead(status).end(request.method === 'HEAD' || status === 204 ? undefined : body);
}
