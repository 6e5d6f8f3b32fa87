import type { IncomingMessage } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { isName, type SizeBytes } from '../../core/mod.ts';
import { type BroadcastOutput, HubToFlv } from '../../gateways/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import type { BroadcastOptions, BroadcastStats } from '../broadcast.ts';
import type { Clock } from '../clock.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import { StreamViewers } from '../stream-viewers.ts';
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
  /** Finds a live stream by `app/name`. */
  readonly find: (path: string) => LiveStream | undefined;
  readonly broadcast: BroadcastOptions;
  /** A GOP larger than this is not kept for new viewers. */
  readonly gopCacheBytesMax: SizeBytes;
  /** FLV viewers of all streams together; more are answered with 503. */
  readonly viewersMax: number;
}

/** Counters since the start and gauges, for metrics. */
export interface FlvStats extends BroadcastStats {
  readonly joined: number;
  readonly refusedByCode: ReadonlyMap<string, number>;
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

  readonly handle: MediaRoute = (request, response, path) => {
    const name = streamPath(path);
    if (name === undefined) return false;
    this.answer(request, response, name);
    return true;
  };

  /** Takes a WebSocket upgrade request on a stream's path; false leaves it to others. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    const name = streamPath(queryAt < 0 ? url : url.slice(0, queryAt));
    if (name === undefined) return false;
    const stream = this.options.find(name);
    const refusal = this.refusal(stream);
    if (stream === undefined || refusal !== undefined) {
      this.countRefusal(refusal ?? 'flv.stream-not-found');
      refuseUpgrade(socket, refusal ?? 'flv.stream-not-found', name);
      return true;
    }
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => this.joinWebSocket(webSocket, stream, socket));
    return true;
  };

  stats(): FlvStats {
    return { ...this.viewers.stats(), joined: this.joined, refusedByCode: this.refused };
  }

  /** Refuses further viewers and ends those that are there, with what they still have to get. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.viewers.close();
  }

  private answer(request: FlvRequest, response: FlvResponse, name: string): void {
    if (request.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    const isHead = request.method === 'HEAD';
    const stream = this.options.find(name);
    const refusal = isHead || request.method === 'GET' ? this.refusal(stream) : 'flv.method-not-allowed';
    if (stream === undefined || refusal !== undefined) {
      this.countRefusal(refusal ?? 'flv.stream-not-found');
      sendRefusal(request, response, refusal ?? 'flv.stream-not-found', name);
    } else if (isHead) {
      sendMediaHead(response);
      response.end();
    } else if ('stream' in response) {
      this.joinHttp2(response, stream);
    } else {
      this.joinHttp1(request.socket as Socket, stream);
    }
  }

  private refusal(stream: LiveStream | undefined): FlvRefusal | undefined {
    if (this.isClosing) return 'flv.closing';
    if (stream === undefined) return 'flv.stream-not-found';
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

/** `app/name` of a path like `/live/show.flv`, if it is one. */
function streamPath(path: string): string | undefined {
  const [, app, name] = PATH.exec(path) ?? [];
  return app !== undefined && name !== undefined && isName(app) && isName(name) ? `${app}/${name}` : undefined;
}
