import { type ClientRequest, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type pino from 'pino';
import type { NodeView } from '../../cluster/mod.ts';
import { parseSessionName, parseWhipPath, problemResponse, type WhipResponse } from '../../protocols/whip/mod.ts';
import type { MediaRoute } from '../media-route.ts';
import { type BodyLimits, readBody } from '../webrtc/mod.ts';

export interface SessionForwardOptions extends BodyLimits {
  readonly ownId: string;
  /** The replica of the cluster's nodes. */
  readonly node: (id: string) => NodeView | undefined;
  /** PEM of the cluster's authority, trusted besides those of the system. */
  readonly ca: string;
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

/** Says that a node of the cluster asks for a client: such a request is never forwarded again. */
const FORWARDED = 'x-sluice-forwarded-by';
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
 * nodes that are known are asked, at the address that they registered. Preflight requests are left to the route, which answers them for any session.
 */
export class SessionForward {
  private readonly options: SessionForwardOptions;
  private readonly authorities: readonly string[];
  private underWay = 0;

  constructor(options: SessionForwardOptions) {
    this.options = options;
    this.authorities = [...rootCertificates, options.ca];
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    const target = parseWhipPath(path);
    const name = target?.session === undefined ? undefined : parseSessionName(target.session);
    const { ownId, node } = this.options;
    // A session's name that no node can have made is the route's affair, which knows no such session.
    if (name === undefined || name.nodeId === ownId || request.method === 'OPTIONS') return false;
    const owner = node(name.nodeId);
    // A node that is gone took its sessions with it (RFC 9725 4.2: 404).
    if (owner === undefined || owner.isStale || request.headers[FORWARDED] !== undefined)
      send(request, response, problemResponse('session-not-found'));
    else this.forward(request, response, new URL(`${path}${query === '' ? '' : `?${query}`}`, owner.record.endpoints.http));
    return true;
  };

  private forward(request: HttpRequest, response: HttpResponse, url: URL): void {
    if (this.underWay >= this.options.forwardedMax) {
      send(request, response, problemResponse('too-busy'));
      return;
    }
    this.underWay++;
    const done = (answer: Answer | WhipResponse): void => {
      this.underWay--;
      send(request, response, answer);
    };
    if (request.method !== 'POST' && request.method !== 'PATCH') {
      this.ask(request, response, url, undefined, done);
      return;
    }
    readBody(request, this.options, (body) => {
      if (body === 'gone') this.underWay--;
      else if (body === 'too-large') done(problemResponse('body-too-large'));
      else if (body === 'too-slow') done(problemResponse('body-timeout'));
      else this.ask(request, response, url, body, done);
    });
  }

  private ask(
    { method = '', headers }: HttpRequest,
    response: HttpResponse,
    url: URL,
    body: Uint8Array | undefined,
    done: (answer: Answer | WhipResponse) => void,
  ): void {
    const { ownId, ca, answerTimeoutMs, answerBytesMax, log } = this.options;
    const isTls = url.protocol === 'https:';
    const passed = REQUEST_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
    const asked: ClientRequest = (isTls ? httpsRequest : httpRequest)(url, {
      method,
      headers: { ...Object.fromEntries(passed), [FORWARDED]: ownId, ...(body === undefined ? {} : { 'content-length': body.length }) },
      agent: false,
      signal: AbortSignal.timeout(answerTimeoutMs),
      ...(isTls && ca !== '' ? { ca: [...this.authorities] } : {}),
    });
    let isOver = false;
    const finish = (answer: Answer | WhipResponse): void => {
      if (isOver) return;
      isOver = true;
      done(answer);
    };
    const failed = (error: Error): void => {
      log.warn(
        { code: 'cluster.owner-unreachable', url: url.origin, reason: error.message },
        'a WebRTC session of another node could not be asked',
      );
      const { status: _busy, ...problem } = problemResponse('unavailable', { code: 'cluster.owner-unreachable', detail: DETAIL });
      finish({ ...problem, status: 502 });
    };
    asked.on('error', failed);
    asked.on('response', (answer) => readAnswer(answer, answerBytesMax, finish, failed));
    response.once('close', () => void (isOver || asked.destroy(new Error('the client went away'))));
    asked.end(body);
  }
}

const DETAIL = 'The node that has this session does not answer. It may be over: make a new one by POST to the endpoint.';

function readAnswer(answer: IncomingMessage, bytesMax: number, finish: (answer: Answer) => void, failed: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  answer.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) answer.destroy(new Error(`the answer is longer than ${bytesMax} bytes`));
    else chunks.push(chunk);
  });
  answer.on('error', failed);
  answer.on('end', () => {
    const { statusCode: status = 502, headers } = answer;
    const passed = ANSWER_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
    finish({ status, headers: Object.fromEntries(passed), body: Buffer.concat(chunks) });
  });
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
