import { randomBytes } from 'node:crypto';
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import type { UrlPolicy } from '../../access/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { withoutCredentials } from '../../sources/mod.ts';
import { SourceRefused } from './judged-lookup.ts';
import { isPlaylist, rewritePlaylist } from './playlist-urls.ts';

const IDLE_MS_MAX = 15_000;
const PLAYLIST_BYTES_MAX = 4 * 1024 * 1024;
const TOKEN_BYTES = 16;
const SUFFIX = 'gate';
/** `ORIGIN in hexadecimal . TOKEN . gate`. */
const GATED = /^http:\/\/([0-9a-f]+)\.([0-9a-f]{32})\.gate(?::80)?(\/[^#]*)?$/;
const SENT_HEADERS = ['accept', 'range', 'cookie', 'if-range'] as const;
const RETURNED_HEADERS = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'set-cookie', 'retry-after'] as const;

export interface GateListener {
  /** Something must not be reached. */
  refused(error: SourceRefused): void;
  /** A request failed: FFmpeg may try again or pass over it. */
  failed(code: string, message: string): void;
}

/** One source's way through the gate. */
export interface GatePass {
  /** What FFmpeg is to open instead of the source's URL. */
  readonly url: string;
  /** For the child's environment: its HTTP goes through here. */
  readonly proxy: string;
  /** An error message with the real URLs instead of the gate's. */
  clean(text: string): string;
  close(): void;
}

interface Pass {
  readonly token: string;
  /** Credentials go to the source's own origin and to no other. */
  readonly origin: string;
  readonly authorization: string | undefined;
  readonly listener: GateListener;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/**
 * The one way of the children to HTTP: a proxy on loopback that fetches for them. FFmpeg follows redirects and the URLs in playlists by itself, so
 * each request is judged here, its name is resolved once, and certificates are checked. FFmpeg gets URLs of hosts that exist for this proxy alone:
 * they carry the real origin and the source's token, so that nobody else can use the proxy, and whatever is no such URL is refused.
 */
export class HttpGate {
  private readonly policy: UrlPolicy;
  private readonly lookup: LookupFunction;
  private readonly passes = new Map<string, Pass>();
  private readonly server: Server;
  private listening: Promise<number> | undefined = undefined;

  constructor(policy: UrlPolicy, lookup: LookupFunction) {
    this.policy = policy;
    this.lookup = lookup;
    this.server = createServer((request, response) => this.answer(request, response));
    // TLS is spoken here and not by FFmpeg, which does not check certificates of the URLs in playlists.
    this.server.on('connect', (_request, socket) => socket.destroy());
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Settles with the way for a source whose URL was judged. */
  async open(url: string, listener: GateListener): Promise<GatePass> {
    this.listening ??= new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as AddressInfo).port));
    });
    const port = await this.listening;
    const target = new URL(url);
    const { username, password } = target;
    const credentials = `${decoded(username)}:${decoded(password)}`;
    const pass: Pass = {
      token: randomBytes(TOKEN_BYTES).toString('hex'),
      origin: target.origin,
      authorization: username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
      listener,
      agents: {
        http: new HttpAgent({ keepAlive: true, lookup: this.lookup }),
        https: new HttpsAgent({ keepAlive: true, lookup: this.lookup }),
      },
    };
    this.passes.set(pass.token, pass);
    return {
      url: gated(target, pass.token),
      proxy: `http://127.0.0.1:${port}`,
      clean: (text) =>
        text.replaceAll(new RegExp(`http://([0-9a-f]+)\\.${pass.token}\\.${SUFFIX}`, 'g'), (_all, hex: string) => fromHex(hex)),
      close: () => {
        this.passes.delete(pass.token);
        pass.agents.http.destroy();
        pass.agents.https.destroy();
      },
    };
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const [, hex = '', token = '', path = '/'] = GATED.exec(request.url ?? '') ?? [];
    const pass = this.passes.get(token);
    if (pass === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      // A child's own, by a URL that was hidden from the gate: whose it is cannot be known, and the source sees it fail.
      response.writeHead(403).end();
      return;
    }
    try {
      const target = new URL(`${fromHex(hex)}${path}`);
      this.judge(target);
      this.forward(request, response, target, pass);
    } catch (error) {
      response.writeHead(403).end();
      if (error instanceof SourceRefused) pass.listener.refused(error);
      else pass.listener.failed('sources.bad-url', 'a URL in what was fetched is not usable');
    }
  }

  private judge(target: URL): void {
    const verdict = this.policy.judgeRedirect(target.href);
    if (!verdict.isAllowed) throw new SourceRefused(verdict);
  }

  private forward(request: IncomingMessage, response: ServerResponse, target: URL, pass: Pass): void {
    const isTls = target.protocol === 'https:';
    const headers: OutgoingHttpHeaders = { 'user-agent': 'Sluice' };
    copyHeaders(request, headers, SENT_HEADERS);
    if (pass.authorization !== undefined && target.origin === pass.origin) headers['authorization'] = pass.authorization;
    const options = { method: request.method ?? 'GET', headers, agent: isTls ? pass.agents.https : pass.agents.http, timeout: IDLE_MS_MAX };
    const upstream = (isTls ? httpsRequest : httpRequest)(target, options, (answer) => this.respond(answer, response, target, pass));
    upstream.on('timeout', () =>
      upstream.destroy(new SluiceError('sources.unreachable', `${target.host} said nothing for ${IDLE_MS_MAX / 1000} s`)),
    );
    upstream.on('error', (error) => {
      if (error instanceof SourceRefused) pass.listener.refused(error);
      else if (!response.destroyed) pass.listener.failed('sources.unreachable', withoutCredentials(`${target.host}: ${error.message}`));
      if (response.headersSent) response.destroy();
      else response.writeHead(error instanceof SourceRefused ? 403 : 502).end();
    });
    response.once('close', () => upstream.destroy());
    upstream.end();
  }

  private respond(answer: IncomingMessage, response: ServerResponse, target: URL, pass: Pass): void {
    const { statusCode = 502 } = answer;
    const headers: OutgoingHttpHeaders = {};
    copyHeaders(answer, headers, RETURNED_HEADERS);
    const { location } = answer.headers;
    if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
      answer.resume();
      const to = URL.canParse(location, target.href) ? new URL(location, target) : undefined;
      if (to === undefined) {
        response.writeHead(502).end();
        return;
      }
      try {
        this.judge(to);
      } catch (error) {
        pass.listener.refused(error as SourceRefused);
        response.writeHead(403).end();
        return;
      }
      response.writeHead(statusCode, { location: gated(to, pass.token), 'content-length': 0 }).end();
      return;
    }
    if (statusCode >= 400) pass.listener.failed('sources.http-status', `${target.host} answers with status ${statusCode}`);
    new Body(answer, response, statusCode, headers, (text) => rewritePlaylist(text, target, (url) => gated(url, pass.token)));
  }
}

/** Passes a body on as it comes; a playlist when it is complete, with its URLs changed. */
class Body {
  private readonly response: ServerResponse;
  private readonly status: number;
  private readonly headers: OutgoingHttpHeaders;
  private readonly rewrite: (text: string) => string;
  private readonly chunks: Buffer[] = [];
  private sizeBytes = 0;
  private isPiped = false;

  constructor(
    answer: IncomingMessage,
    response: ServerResponse,
    status: number,
    headers: OutgoingHttpHeaders,
    rewrite: (text: string) => string,
  ) {
    this.response = response;
    this.status = status;
    this.headers = headers;
    this.rewrite = rewrite;
    answer.on('data', (chunk: Buffer) => this.take(answer, chunk));
    answer.on('end', () => this.end());
    answer.on('error', () => response.destroy());
  }

  private take(answer: IncomingMessage, chunk: Buffer): void {
    if (this.isPiped) {
      this.write(answer, chunk);
      return;
    }
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
    const known = isPlaylist(Buffer.concat(this.chunks));
    if (known === undefined || known) {
      if (this.sizeBytes > PLAYLIST_BYTES_MAX) this.response.destroy();
      return;
    }
    this.isPiped = true;
    this.response.writeHead(this.status, this.headers);
    this.write(answer, Buffer.concat(this.chunks.splice(0)));
  }

  private write(answer: IncomingMessage, bytes: Buffer): void {
    if (this.response.write(bytes)) return;
    answer.pause();
    this.response.once('drain', () => answer.resume());
  }

  private end(): void {
    if (this.isPiped) {
      this.response.end();
      return;
    }
    const body = Buffer.concat(this.chunks);
    const { 'content-range': _range, 'accept-ranges': _ranges, ...headers } = this.headers;
    if (isPlaylist(body) === true) {
      const text = Buffer.from(this.rewrite(body.toString('utf8')));
      this.response.writeHead(this.status === 206 ? 200 : this.status, { ...headers, 'content-length': text.length }).end(text);
    } else this.response.writeHead(this.status, this.headers).end(body);
  }
}

function copyHeaders({ headers: from }: IncomingMessage, to: OutgoingHttpHeaders, names: readonly string[]): void {
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) to[name] = value;
  }
}

const gated = (url: URL, token: string): string =>
  `http://${Buffer.from(url.origin).toString('hex')}.${token}.${SUFFIX}${url.pathname}${url.search}`;
const fromHex = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
