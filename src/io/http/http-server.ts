import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type pino from 'pino';
import { SluiceError } from '../../core/mod.ts';
import { listenError, listenHost } from '../listen-error.ts';
import type { MediaRoute } from '../media-route.ts';
import { isLoopback, remoteAddress } from '../remote-address.ts';
import type { SharedRoute } from '../shared-route.ts';
import { answerBadRequest } from './bad-request.ts';
import { SharedAnswers } from './shared-answers.ts';
import { SharedConnection, type SharedConnectionOwner } from './shared-connection.ts';

export interface HttpServerOptions {
  /** `*` is every address. */
  readonly host: string;
  readonly port: number;
  /** Both files empty: no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly hstsMaxAgeS: number };
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly headersBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

/** Takes over the socket of an `Upgrade: websocket` request, when the path is its own; false leaves it. */
export type UpgradeRoute = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** What the web framework is asked with: everything that no media route took. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpServerStats {
  connections: number;
  connectionsTotal: number;
  requestsTotal: number;
  /** By code, e.g. `http.too-many-connections`. */
  refusedByCode: ReadonlyMap<string, number>;
}

// One viewer asks for little at a time; more streams than this on a connection is nobody's player.
const HTTP2_STREAMS_MAX = 256;

/**
 * The one HTTP listener: media routes first, then the web framework; HTTP/1.1, and HTTP/2 as well when TLS is configured. Without TLS
 * a connection begins as a {@link SharedConnection} and is node:http's from its first request on that is for nobody there.
 */
export class HttpServer {
  readonly server: Server | Http2SecureServer;
  private readonly options: HttpServerOptions;
  private readonly log: pino.Logger;
  /** RFC 6797, section 6.1; section 7.2 forbids it without TLS. */
  private readonly hsts: string | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly perAddress = new Map<string, number>();
  private readonly refused = new Map<string, number>();
  private readonly sharedRoutes: SharedRoute[] = [];
  private readonly sharedAnswers: SharedAnswers;
  private readonly sharedConnections = new Set<SharedConnection>();
  private readonly mediaRoutes: MediaRoute[] = [];
  private readonly upgradeRoutes: UpgradeRoute[] = [];
  private handler: RequestHandler = (_request, response) => void response.writeHead(503).end();
  private connectionsTotal = 0;
  private requestsTotal = 0;

  constructor(options: HttpServerOptions, log: pino.Logger) {
    this.options = options;
    this.log = log;
    const { hstsMaxAgeS } = options.tls;
    this.hsts = this.isTls && hstsMaxAgeS > 0 ? `max-age=${hstsMaxAgeS}` : undefined;
    this.sharedAnswers = new SharedAnswers(options.keepAliveTimeoutMs);
    this.server = this.create();
    this.server.on('request', (request: IncomingMessage, response: ServerResponse) => this.dispatch(request, response));
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.upgrade(request, socket, head));
    const begin = this.isTls ? undefined : this.sharedConnectionStarter();
    this.server.on('connection', (socket: Socket) => {
      if (this.admit(socket)) begin?.(socket);
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => this.clientError(error, socket));
    this.server.on('drop', () => this.refuse('http.too-many-connections'));
    this.server.on('tlsClientError', () => this.refuse('http.tls-handshake'));
    this.server.on('sessionError', () => this.refuse('http.http2-session'));
    // A refused frame of a peer is that session's affair.
    this.server.on('session', (session: { on(event: 'error', listener: () => void): void }) => session.on('error', () => undefined));
  }

  get isTls(): boolean {
    return this.options.tls.certFile !== '';
  }

  /** Asked for GET and HEAD by HTTP/1.1 without TLS, before everything else; what it leaves, and what comes otherwise, goes to the media routes. */
  addSharedRoute(route: SharedRoute): void {
    this.sharedRoutes.push(route);
  }

  /** Asked in the order they are added, before {@link handleRest}. */
  addMediaRoute(route: MediaRoute): void {
    this.mediaRoutes.push(route);
  }

  addUpgradeRoute(route: UpgradeRoute): void {
    this.upgradeRoutes.push(route);
  }

  handleRest(handler: RequestHandler): void {
    this.handler = handler;
  }

  /** Begins to listen; returns the port. Throws `SluiceError` `listen.*` with what to do. */
  listen(): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) =>
        reject(listenError(error, { what: 'HTTP', host, port, key: 'http.port', variable: 'SLUICE_HTTP_PORT' })),
      );
      this.server.listen({ ...listenHost(host), port }, () => {
        this.server.removeAllListeners('error');
        this.server.on('error', (error: Error) => this.log.error({ code: 'http.server', err: error }, 'HTTP server error'));
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no new connection and gives requests under way `graceMs` to end before their connections are destroyed. */
  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => this.destroyAll(), graceMs);
      this.server.close(() => {
        clearTimeout(deadline);
        this.sharedAnswers.clear();
        resolve();
      });
      if ('closeIdleConnections' in this.server) this.server.closeIdleConnections();
      for (const connection of this.sharedConnections) connection.close();
    });
  }

  stats(): HttpServerStats {
    return {
      connections: this.sockets.size,
      connectionsTotal: this.connectionsTotal,
      requestsTotal: this.requestsTotal,
      refusedByCode: this.refused,
    };
  }

  private destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private create(): Server | Http2SecureServer {
    const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs, headersBytesMax, connectionsMax } = this.options;
    const limits = {
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: headersBytesMax,
      noDelay: true,
    };
    const server = this.isTls
      ? createSecureServer({
          ...limits,
          ...readTls(this.options.tls),
          allowHTTP1: true,
          settings: { maxConcurrentStreams: HTTP2_STREAMS_MAX, maxHeaderListSize: headersBytesMax, enableConnectProtocol: false },
        })
      : createServer(limits);
    server.maxConnections = connectionsMax;
    return server;
  }

  private dispatch(request: IncomingMessage, response: ServerResponse): void {
    this.requestsTotal++;
    const url = request.url ?? '/';
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
    if (this.hsts !== undefined) response.setHeader('strict-transport-security', this.hsts);
    try {
      for (const route of this.mediaRoutes) if (route(request, response, path, query)) return;
      this.handler(request, response);
    } catch (error) {
      // A bug of ours ends this request, never the process.
      this.log.error({ code: 'http.handler-failed', err: error, path }, 'a request could not be answered');
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    }
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    for (const route of this.upgradeRoutes) if (route(request, socket, head)) return;
    socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  }

  /** Takes node:http's own listener off the server, to be given the connections that are for it. */
  private sharedConnectionStarter(): (socket: Socket) => void {
    const listeners = this.server.listeners('connection');
    this.server.removeAllListeners('connection');
    const { headersBytesMax, headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs } = this.options;
    const owner: SharedConnectionOwner = {
      routes: this.sharedRoutes,
      answers: this.sharedAnswers,
      headersBytesMax,
      headersTimeoutMs: Math.min(headersTimeoutMs, requestTimeoutMs),
      keepAliveTimeoutMs,
      wallMs: () => Date.now(),
      taken: () => this.requestsTotal++,
      left: (connection) => this.sharedConnections.delete(connection),
      handOver: (socket) => {
        for (const listener of listeners) listener.call(this.server, socket);
      },
      failed: (error, path) => this.log.error({ code: 'http.handler-failed', err: error, path }, 'a request could not be answered'),
    };
    return (socket) => this.sharedConnections.add(new SharedConnection(socket, owner));
  }

  /** Counts the connection; false if it was refused. */
  private admit(socket: Socket): boolean {
    const address = remoteAddress(socket);
    const count = (this.perAddress.get(address) ?? 0) + 1;
    if (!isLoopback(address) && count > this.options.connectionsPerAddressMax) {
      this.refuse('http.too-many-connections-of-address');
      this.log.debug({ code: 'http.too-many-connections-of-address', remote: address }, 'connection refused');
      socket.destroy();
      return false;
    }
    this.connectionsTotal++;
    this.sockets.add(socket);
    this.perAddress.set(address, count);
    socket.once('close', () => {
      this.sockets.delete(socket);
      const left = (this.perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.perAddress.delete(address);
      else this.perAddress.set(address, left);
    });
    return true;
  }

  private clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const code = answerBadRequest(error, socket);
    if (code === undefined) return;
    this.refuse(code);
    this.log.info({ code, remote: remoteAddress(socket as Socket), reason: error.code }, 'request refused');
  }

  private refuse(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }
}

function readTls({ certFile, keyFile }: HttpServerOptions['tls']): { cert: Buffer; key: Buffer } {
  return { cert: readPem(certFile, 'http.tls.certFile'), key: readPem(keyFile, 'http.tls.keyFile') };
}

function readPem(file: string, key: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new SluiceError('http.tls-file', `${key}: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
