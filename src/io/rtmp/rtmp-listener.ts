import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type pino from 'pino';
import type { AccessGate, AdmittedSessions } from '../../access/mod.ts';
import type { SizeBytes } from '../../core/mod.ts';
import { HubToRtmp } from '../../gateways/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import { defaultRtmpServerOptions, type RtmpServerOptions, SERVER_MESSAGE_STREAM_ID } from '../../protocols/rtmp/mod.ts';
import { AddressCounts } from '../address-counts.ts';
import type { AppBytes } from '../app-bytes.ts';
import type { BroadcastOptions } from '../broadcast.ts';
import type { Clock } from '../clock.ts';
import { listenError, listenHost } from '../listen-error.ts';
import { remoteAddress } from '../remote-address.ts';
import type { BringStream } from '../stream-door.ts';
import { StreamViewers, type ViewersStats } from '../stream-viewers.ts';
import { ReadCoalescer } from './read-coalescer.ts';
import { RtmpConnection, type RtmpConnectionContext, type RtmpPlaces } from './rtmp-connection.ts';

/** Settings and collaborators of a listener. */
export interface RtmpListenerOptions {
  /** `*` is every address. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The configuration key and environment variable that set the port, for the message when it is in use. */
  readonly portKey: string;
  readonly portVariable: string;
  /** PEM texts; with them the listener speaks RTMPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly connectionsMax: number;
  /** Loopback is not counted. */
  readonly connectionsPerAddressMax: number;
  /** What differs from {@link defaultRtmpServerOptions}. */
  readonly session?: Partial<RtmpServerOptions>;
  readonly broadcast: BroadcastOptions;
  readonly gopCacheBytesMax: SizeBytes;
  /** What a second publisher of a live stream gets, by app. */
  readonly secondPublisher: (app: string) => 'reject' | 'takeover';
  /** From this many publishers on their reads are coalesced. */
  readonly coalesceReadsFrom?: number;
  readonly hub: Hub;
  /** Brings a stream that is not here; without it, none is waited for. */
  readonly bring?: BringStream;
  /** Where clients belong, in a cluster; without it, here. */
  readonly places?: RtmpPlaces | undefined;
  readonly access: AccessGate;
  /** Sessions that can be ended by what let them in; without it, they cannot. */
  readonly admitted?: AdmittedSessions | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Counters and gauges of a listener. */
export interface RtmpListenerStats {
  readonly connections: number;
  readonly publishers: number;
  readonly viewers: number;
  readonly connectionsTotal: number;
  readonly bytesReceivedTotal: number;
  /** How connections ended, by code (`rtmp.peer-closed`, `rtmp.key-wrong`, …), refused ones included. */
  readonly closedByCode: ReadonlyMap<string, number>;
  /** One for all streams together. The counters go on when a stream ends. */
  readonly broadcasts: readonly ViewersStats[];
}

const TICK_MS = 500;
// Publishers without viewers are read every 100 ms, those with viewers every 20 ms.
const COALESCE_INTERVAL_MS = 20;
const COALESCE_SLOTS = 5;
const COALESCE_READS_FROM_DEFAULT = 100;
/** How long last words may take when the server stops. */
const CLOSE_MS_MAX = 2_000;

/** Accepts RTMP (or RTMPS) connections and joins their sessions with the hub. */
export class RtmpListener {
  private readonly options: RtmpListenerOptions;
  private readonly server: Server;
  private readonly context: RtmpConnectionContext;
  private readonly viewers: StreamViewers;
  private readonly coalescer = new ReadCoalescer(COALESCE_INTERVAL_MS, COALESCE_SLOTS);
  private readonly connections = new Set<RtmpConnection>();
  private readonly perAddress: AddressCounts;
  private readonly closedByCode = new Map<string, number>();
  private ticker: NodeJS.Timeout | undefined = undefined;
  private publishers = 0;
  private connectionsTotal = 0;
  private bytesOfClosed = 0;
  private isClosing = false;

  constructor(options: RtmpListenerOptions) {
    const session = { ...defaultRtmpServerOptions, ...options.session };
    this.options = options;
    this.perAddress = new AddressCounts(options.connectionsPerAddressMax);
    this.viewers = createViewers(options, session.chunkSize);
    this.context = {
      hub: options.hub,
      bring: options.bring,
      places: options.places,
      access: options.access,
      admitted: options.admitted,
      secondPublisher: options.secondPublisher,
      viewers: this.viewers,
      session,
      clock: options.clock,
      log: options.log,
      coalescer: this.coalescer,
      isBusy: () => this.publishers >= (options.coalesceReadsFrom ?? COALESCE_READS_FROM_DEFAULT),
      closed: (code) => this.count(code),
    };
    const accept = (socket: Socket): void => this.accept(socket);
    this.server =
      options.tls === undefined
        ? createServer({ noDelay: true, keepAlive: true }, accept)
        : createTlsServer({ noDelay: true, keepAlive: true, handshakeTimeout: session.setupTimeoutMs, ...options.tls }, accept);
    // Sockets in the TLS handshake count here too.
    this.server.maxConnections = options.connectionsMax;
    this.server.on('drop', () => this.count('rtmp.too-many-connections'));
    this.server.on('tlsClientError', () => this.count('rtmp.tls-handshake'));
  }

  /** The port in use; valid after `listen`. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Starts to accept. Rejects with `SluiceError` `listen.…`. */
  async listen(): Promise<void> {
    const { host, port, portKey, portVariable } = this.options;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(listenError(error, { what: 'RTMP', host, port, key: portKey, variable: portVariable }));
      this.server.once('error', failed);
      this.server.listen({ ...listenHost(host), port, backlog: 1024 }, () => {
        this.server.off('error', failed);
        // E.g. no file descriptor left for a new connection: the others go on.
        this.server.on('error', (error) => this.options.log.warn({ code: 'rtmp.accept', err: error }, 'RTMP listener'));
        resolve();
      });
    });
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  stats(): RtmpListenerStats {
    let bytesReceivedTotal = this.bytesOfClosed;
    let publishers = 0;
    let viewers = 0;
    for (const connection of this.connections) {
      bytesReceivedTotal += connection.bytesReceived;
      if (connection.role === 'publisher') publishers++;
      else if (connection.role === 'viewer') viewers++;
    }
    return {
      connections: this.connections.size,
      publishers,
      viewers,
      connectionsTotal: this.connectionsTotal,
      bytesReceivedTotal,
      closedByCode: this.closedByCode,
      broadcasts: [this.viewers.stats()],
    };
  }

  /** What has been sent to viewers since the start, by app. */
  addBytesSent(to: AppBytes): void {
    this.viewers.addBytesSent(to);
  }

  /** Asks publishers to go on at another node; returns how many could be asked. */
  movePublishers(places: RtmpPlaces): number {
    let asked = 0;
    for (const connection of this.connections) if (connection.move(places)) asked++;
    return asked;
  }

  /** Says goodbye to all peers and stops to accept; resolves when every connection is closed, at most 2 s later. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections) connection.shutDown();
    this.viewers.close();
    this.coalescer.close();
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, CLOSE_MS_MAX);
    });
    await Promise.race([ended, late]);
    clearTimeout(deadline);
    for (const connection of this.connections) connection.destroy();
    clearInterval(this.ticker);
  }

  private accept(socket: Socket): void {
    const address = remoteAddress(socket);
    if (this.isClosing || !this.perAddress.add(address)) {
      this.count('rtmp.too-many-connections');
      this.options.log.warn(
        { code: 'rtmp.too-many-connections', remote: address },
        'as many connections from one address as may be; refused',
      );
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.connectionsTotal++;
    const connection = new RtmpConnection(socket, address, this.context);
    this.connections.add(connection);
    socket.on('close', () => this.socketClosed(connection));
  }

  private socketClosed(connection: RtmpConnection): void {
    this.connections.delete(connection);
    this.bytesOfClosed += connection.bytesReceived;
    this.perAddress.remove(connection.address);
  }

  /** One timer for the time-outs of all connections. */
  private tick(): void {
    const now = this.options.clock.monotonic();
    let publishers = 0;
    for (const connection of this.connections) {
      connection.tick(now);
      if (connection.role === 'publisher') publishers++;
    }
    this.publishers = publishers;
  }

  private count(code: string): void {
    this.closedByCode.set(code, (this.closedByCode.get(code) ?? 0) + 1);
  }
}

function createViewers({ broadcast, gopCacheBytesMax, clock, log }: RtmpListenerOptions, chunkSize: SizeBytes): StreamViewers {
  const packagerOptions = { chunkSize, messageStreamId: SERVER_MESSAGE_STREAM_ID, gopCacheBytesMax };
  return new StreamViewers({ protocol: 'rtmp', makePackager: (out) => new HubToRtmp(out, packagerOptions), broadcast, clock, log });
}
