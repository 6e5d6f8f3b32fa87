import type { IncomingMessage } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AccessGate, AdmittedSessions } from '../../access/mod.ts';
import { isName, type SizeBytes, type StreamRef, streamRef } from '../../core/mod.ts';
import { type BroadcastOutput, HubToFlv } from '../../gateways/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import { queryToken } from '../access-answers.ts';
import type { AppBytes } from '../app-bytes.ts';
import type { BroadcastOptions } from '../broadcast.ts';
import type { Clock } from '../clock.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { BringStream } from '../stream-door.ts';
import { StreamViewers, type ViewersStats } from '../stream-viewers.ts';
import {
  type FlvRefusal,
  type FlvRequest,
  type FlvResponse,
  MEDIA_HEAD,
  refuseUpgrade,
  sendMediaHead,
  sendPreflight,
  sendRefusal,
} from './flv-answers.ts';

export interface FlvRouteOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Who may play. */
  readonly access: AccessGate;
  /** Sessions that can be ended by what let them in; without it, they cannot. */
  readonly admitted?: AdmittedSessions;
  /** Finds a live stream by `app/name`. */
  readonly find: (path: string) => LiveStream | undefined;
  /** Brings a stream that is not here; without it, none is waited for. */
  readonly bring?: BringStream;
  readonly broadcast: BroadcastOptions;
  /** A GOP larger than this is not kept for new viewers. */
  readonly gopCacheBytesMax: SizeBytes;
  /** FLV viewers of all streams together; more are answered with 503. */
  readonly viewersMax: number;
}

/** Counters since the start and gauges, for metrics. */
export interface FlvStats extends ViewersStats {
  readonly joined: number;
  readonly refusedByCode: ReadonlyMap<string, number>;
}

/** A client's end of the connection, or of its stream. */
interface Closable {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** What a decision goes by. */
interface Asking {
  readonly headers: IncomingMessage['headers'];
  /** What follows `?`, or ''. */
  readonly query: string;
  readonly remote: string;
}

const PATH = /^\/([^/]+)\/([^/]+)\.flv$/;
/** A viewer has nothing to say; this lets the largest control frames through (RFC 6455 5.5) and little more. */
const WEBSOCKET_MESSAGE_BYTES_MAX = 256;
/** Pings of a viewer that does not read are not answered beyond this. */
const PONG_BACKLOG_BYTES_MAX = 64 * 1024;
const UNSUPPORTED_DATA = 1003;

/** Serves FLV without end: `GET /APP/NAME.flv` by HTTP/1.1 and HTTP/2, and the same path as a WebSocket of binary messages. */
export class FlvRoute {
  private readonly options: FlvRouteOptions;
  private readonly viewers: StreamViewers;
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: WEBSOCKET_MESSAGE_BYTES_MAX,
  });
  /** HTTP/1.1 sockets that carry media: what is pipelined behind the request cannot be answered any more. */
  private readonly taken = new WeakSet<Socket>();
  private readonly refused = new Map<string, number>();
  private joined = 0;
  private isClosing = false;

  constructor(options: FlvRouteOptions) {
    this.options = options;
    const { broadcast, gopCacheBytesMax, clock, log } = options;
    const makePackager = (out: BroadcastOutput): HubToFlv => new HubToFlv(out, { gopCacheBytesMax });
    this.viewers = new StreamViewers({ protocol: 'flv', makePackager, broadcast, clock, log });
  }

  readonly handle: MediaRoute = (request, response, path, query) => {
    const name = streamPath(path);
    if (name === undefined) return false;
    this.answer(request, response, name, query);
    return true;
  };

  /** Takes a WebSocket upgrade request on a stream's path; false leaves it to others. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    const name = streamPath(queryAt < 0 ? url : url.slice(0, queryAt));
    if (name === undefined) return false;
    const go = (stream: LiveStream | undefined, missing: FlvRefusal, because?: string): void => {
      const refusal = this.refusal(stream, missing);
      if (stream === undefined || refusal !== undefined) {
        this.countRefusal(refusal ?? missing);
        refuseUpgrade(socket, refusal ?? missing, name, because);
      } else this.webSockets.handleUpgrade(request, socket, head, (webSocket) => this.joinWebSocket(webSocket, stream, socket));
    };
    const asking = { headers: request.headers, query: queryAt < 0 ? '' : url.slice(queryAt + 1), remote: remoteAddress(socket as Socket) };
    this.whenAdmitted(name, asking, socket, (refusal, because) => {
      if (refusal !== undefined) go(undefined, refusal, because);
      else this.whenHere(name, socket, go, () => watchUntilAnswered(socket));
    });
    return true;
  };

  stats(): FlvStats {
    return { ...this.viewers.stats(), joined: this.joined, refusedByCode: this.refused };
  }

  /** What has been sent to viewers since the start, by app. */
  addBytesSent(to: AppBytes): void {
    this.viewers.addBytesSent(to);
  }

  /** Refuses further viewers and ends those that are there, with what they still have to get. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.viewers.close();
  }

  private answer(request: FlvRequest, response: FlvResponse, name: string, query: string): void {
    if (request.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      this.countRefusal('flv.method-not-allowed');
      sendRefusal(request, response, 'flv.method-not-allowed', name);
      return;
    }
    const asking = { headers: request.headers, query, remote: remoteAddress(request.socket) };
    this.whenAdmitted(name, asking, response, (refusal, because) => {
      if (refusal !== undefined) this.answerWith(request, response, name, undefined, refusal, because);
      else this.whenHere(name, response, (stream, missing) => this.answerWith(request, response, name, stream, missing));
    });
  }

  /** Goes on with a refusal or without one, at once or when the token was checked; not at all if the client has gone by then. */
  private whenAdmitted(
    name: string,
    asking: Asking,
    client: Closable,
    go: (refusal: FlvRefusal | undefined, because?: string) => void,
  ): void {
    const { access } = this.options;
    const ref = refOf(name);
    if (ref === undefined || access.isOpen(ref.app)) {
      go(undefined);
      return;
    }
    const { headers, query, remote } = asking;
    const token = queryToken(query);
    const credential = token === undefined ? {} : { token };
    let by: string | undefined;
    const letInBy = (key: string): void => {
      by = key;
    };
    const page = headers.origin ?? headers.referer;
    access.admit({ act: 'play', ref, credential, address: remote, page, protocol: 'http-flv', letInBy }, (decision) => {
      if (client.destroyed) return;
      if (decision !== 'allowed') go(`access.${decision.refused}`, decision.because);
      else if (this.isAdmitted(by, client)) go(undefined);
    });
  }

  /** Notes what let the client in, so that it can be ended by that; false if it is over already. */
  private isAdmitted(by: string | undefined, client: Closable): boolean {
    const over = this.options.admitted?.begin(by, () => client.destroy());
    if (by !== undefined && over !== undefined) client.once('close', over);
    return !client.destroyed;
  }

  private answerWith(
    request: FlvRequest,
    response: FlvResponse,
    name: string,
    stream: LiveStream | undefined,
    missing: FlvRefusal,
    because?: string,
  ): void {
    const refusal = this.refusal(stream, missing);
    if (stream === undefined || refusal !== undefined) {
      this.countRefusal(refusal ?? missing);
      sendRefusal(request, response, refusal ?? missing, name, because);
    } else if (request.method === 'HEAD') {
      sendMediaHead(response);
      response.end();
    } else if ('stream' in response) {
      this.joinHttp2(response, stream);
    } else {
      this.joinHttp1(request.socket as Socket, stream);
    }
  }

  /** Goes on with the stream, at once or when it was brought; not at all if the client has gone by then. */
  private whenHere(
    name: string,
    client: Closable,
    go: (stream: LiveStream | undefined, missing: FlvRefusal) => void,
    hold: () => () => void = () => () => undefined,
  ): void {
    const stream = this.options.find(name);
    const brought = stream === undefined && !this.isClosing ? this.bring(name, client) : undefined;
    if (brought === undefined) {
      go(stream, 'flv.stream-not-found');
      return;
    }
    const release = hold();
    void brought.then((found) => {
      release();
      if (!client.destroyed) go(found, 'flv.source-not-started');
    });
  }

  private bring(name: string, client: Closable): Promise<LiveStream | undefined> | undefined {
    const gone = new AbortController();
    client.once('close', () => gone.abort());
    const ref = refOf(name);
    return ref === undefined ? undefined : this.options.bring?.(ref, gone.signal);
  }

  private refusal(stream: LiveStream | undefined, missing: FlvRefusal): FlvRefusal | undefined {
    if (this.isClosing) return 'flv.closing';
    if (stream === undefined) return missing;
    return this.viewers.count >= this.options.viewersMax ? 'flv.too-many-viewers' : undefined;
  }

  private countRefusal(refusal: FlvRefusal): void {
    this.refused.set(refusal, (this.refused.get(refusal) ?? 0) + 1);
  }

  private joinHttp1(socket: Socket, stream: LiveStream): void {
    if (this.taken.has(socket)) {
      socket.destroy();
      return;
    }
    this.taken.add(socket);
    socket.setNoDelay(true);
    socket.cork();
    socket.write(MEDIA_HEAD);
    const remote = remoteAddress(socket);
    this.viewers.add(stream, socket, 'raw', remote);
    socket.uncork();
    this.noteJoin(stream, remote, 'http1');
  }

  private joinHttp2(response: Http2ServerResponse, stream: LiveStream): void {
    sendMediaHead(response);
    const socket = response.stream.session?.socket;
    const remote = socket === undefined ? '' : remoteAddress(socket);
    this.viewers.add(stream, response.stream, 'raw', remote);
    this.noteJoin(stream, remote, 'http2');
  }

  private joinWebSocket(webSocket: WebSocket, stream: LiveStream, socket: Duplex): void {
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('ping', (data) => {
      if (socket.writableLength <= PONG_BACKLOG_BYTES_MAX) webSocket.pong(data);
    });
    // Media is written past `ws`, whose frames are written whole and at once without compression: each batch is framed once for all.
    const remote = remoteAddress(socket as Socket);
    const remove = this.viewers.add(stream, socket, 'websocket', remote);
    webSocket.on('message', () => {
      remove();
      webSocket.close(UNSUPPORTED_DATA);
    });
    this.noteJoin(stream, remote, 'websocket');
  }

  private noteJoin(stream: LiveStream, remote: string, transport: string): void {
    this.joined++;
    this.options.log.debug({ code: 'flv.joined', stream: stream.ref.path, remote, transport }, 'FLV viewer joined');
  }
}

/** Reads a socket whose upgrade is not answered yet, as its end would not be seen otherwise; nothing may come before the answer (RFC 6455 4.1). */
function watchUntilAnswered(socket: Duplex): () => void {
  const drop = (): void => {
    socket.destroy();
  };
  socket.on('data', drop).on('end', drop).on('error', drop);
  return () => {
    socket.off('data', drop).off('end', drop).off('error', drop).pause();
  };
}

/** `app/name` of a path like `/live/show.flv`, if it is one. */
function streamPath(path: string): string | undefined {
  const [, app, name] = PATH.exec(path) ?? [];
  return app !== undefined && name !== undefined && isName(app) && isName(name) ? `${app}/${name}` : undefined;
}

/** Undefined for a reserved word: no stream can have this name. */
function refOf(path: string): StreamRef | undefined {
  const [app = '', name = ''] = path.split('/');
  try {
    return streamRef(app, name);
  } catch {
    return undefined;
  }
}
