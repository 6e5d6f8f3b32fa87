import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type pino from 'pino';
import { HubToRelay, relayRenditions } from '../../gateways/mod.ts';
import type { FrameSource } from '../../hub/mod.ts';
import { type FeedSenderOptions, HOPS_MAX, RELAY_PROTOCOL, type RelayWish, writePath } from '../../protocols/relay/mod.ts';
import type { Clock } from '../clock.ts';
import { listenError, listenHost } from '../listen-error.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import { HTTP_PROTOCOL } from './node-calls.ts';
import { NodeHttp } from './node-http.ts';
import { type HeldSubscription, RelayHolder } from './relay-holder.ts';
import type { RelayTls } from './relay-pull.ts';
import type { RelayRefused, RelaySource, RelaySources } from './relay-sources.ts';

export interface RelayServerOptions extends Partial<FeedSenderOptions> {
  /** `*` is every address. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The configuration key and environment variable that set the port, for the message when it is in use. */
  readonly portKey: string;
  readonly portVariable: string;
  readonly tls: RelayTls;
  /** This node's id, which its certificate has as its subject's common name. */
  readonly node: string;
  readonly cluster: string;
  /** Whether the node of this certificate (serial number in hexadecimal) is still a member. */
  readonly mayConnect: (node: string, certificateSerial: string) => boolean;
  readonly sources: RelaySources;
  /** What other nodes may ask for by HTTP; absent: nothing. */
  readonly routes?: () => readonly MediaRoute[];
  readonly connectionsMax?: number;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Counters (`…Total`) and gauges. */
export interface RelayServerStats {
  readonly connections: number;
  readonly connectionsTotal: number;
  readonly subscriptions: number;
  /** Renditions that are relayed, each to any number of subscriptions. */
  readonly feeds: number;
  readonly bytesSentTotal: number;
  readonly bytesQueued: number;
  /** Messages that slow peers did not get. */
  readonly droppedTotal: number;
  /** How connections ended, by code (`relay.broken`, `relay.tls-handshake`, …), refused ones included. */
  readonly closedByCode: ReadonlyMap<string, number>;
  /** Subscriptions refused, by {@link RelayRefusal}. */
  readonly refusedByCode: ReadonlyMap<string, number>;
}

/** A whole GOP cache of a stream with a high bitrate fits, and some seconds of many streams. */
export const RELAY_QUEUE_DEFAULTS: FeedSenderOptions = { subscriptionBytesMax: 16 * 1024 * 1024, connectionBytesMax: 128 * 1024 * 1024 };
const CONNECTIONS_MAX_DEFAULT = 4_096;
const HANDSHAKE_MS_MAX = 5_000;
const TICK_MS = 250;
/** How long goodbyes may take when the server stops. */
const CLOSE_MS_MAX = 1_000;

/** Gives streams of this node to others, and answers what they ask by HTTP, over TLS with certificates of the cluster's CA on both sides. */
export class RelayServer {
  private readonly options: RelayServerOptions;
  private readonly server: Server;
  private readonly http: NodeHttp;
  private readonly holders = new Set<RelayHolder>();
  private readonly feeds = new Map<FrameSource, HubToRelay>();
  private readonly closedByCode = new Map<string, number>();
  private readonly refusedByCode = new Map<string, number>();
  private lastFeed = 0;
  private connectionsTotal = 0;
  private bytesOfClosed = 0;
  private dropped = 0;
  private ticker: NodeJS.Timeout | undefined = undefined;
  private isClosing = false;

  constructor(options: RelayServerOptions) {
    this.options = options;
    const { tls, routes = () => [] } = options;
    this.http = new NodeHttp(routes, options.log);
    const security = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', handshakeTimeout: HANDSHAKE_MS_MAX } as const;
    // Without a name for what it is for, a connection is the relay's: builds before do not give any.
    const ALPNProtocols = [RELAY_PROTOCOL, HTTP_PROTOCOL];
    this.server = createServer({ ...tls, ...security, ALPNProtocols, noDelay: true, keepAlive: true }, (socket) => this.accept(socket));
    this.server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX_DEFAULT;
    this.server.on('drop', () => count(this.closedByCode, 'relay.too-many-connections'));
    this.server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      count(this.closedByCode, 'relay.tls-handshake');
      options.log.warn({ code: 'relay.tls-handshake', remote: remoteAddress(socket), reason: error.message }, 'no relay peer');
    });
  }

  /** The port in use; valid after `listen`. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Starts to accept. Rejects with `SluiceError` `listen.…`. */
  async listen(): Promise<void> {
    const { host, port, portKey, portVariable, log } = this.options;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(listenError(error, { what: 'relay', host, port, key: portKey, variable: portVariable }));
      this.server.once('error', failed);
      this.server.listen({ ...listenHost(host), port }, () => {
        this.server.off('error', failed);
        this.server.on('error', (error) => log.warn({ code: 'relay.accept', err: error }, 'relay listener'));
        resolve();
      });
    });
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  stats(): RelayServerStats {
    let bytesSentTotal = this.bytesOfClosed;
    let subscriptions = 0;
    let bytesQueued = 0;
    for (const holder of this.holders) {
      bytesSentTotal += holder.bytesSent;
      subscriptions += holder.subscriptions.size;
      bytesQueued += holder.bytesQueued;
    }
    return {
      connections: this.holders.size,
      connectionsTotal: this.connectionsTotal,
      subscriptions,
      feeds: this.feeds.size,
      bytesSentTotal,
      bytesQueued,
      droppedTotal: this.dropped,
      closedByCode: this.closedByCode,
      refusedByCode: this.refusedByCode,
    };
  }

  /** Shows this certificate from the next connection on. */
  showCertificate(tls: RelayTls): void {
    this.server.setSecureContext({ ...tls });
  }

  /** Ends the connections of a node that is no member any more. */
  disconnect(node: string): void {
    for (const holder of [...this.holders]) if (holder.peerNode === node) holder.close('relay.not-a-member', 'the node was removed');
    this.http.disconnect(node);
  }

  /** Whether any node pulls the stream, or one of its renditions, from here. */
  isPulled(path: string): boolean {
    for (const { ref } of this.subscriptions()) if (ref.path === path) return true;
    return false;
  }

  /** The nodes that pull the stream itself from here, with the round trip to each. */
  *pullersOf(path: string): Iterable<{ readonly node: string; readonly rttMs: number | undefined }> {
    for (const { ref, rendition, holder } of this.subscriptions()) {
      if (rendition === '' && ref.path === path) yield { node: holder.peerNode, rttMs: holder.rttMs };
    }
  }

  /** Tells all that pull the stream which renditions it has now. */
  renditionsChanged(path: string): void {
    for (const { ref, rendition, sender, source } of this.subscriptions()) {
      if (ref.path === path && rendition === '') sender.renditions(relayRenditions(source.stream));
    }
  }

  /** The stream comes another way now, or under another claim: all that pull it are told, and those it came through are refused. */
  pathChanged(path: string, epoch: number, hops: readonly string[]): void {
    const passed = [...hops, this.options.node];
    for (const subscription of [...this.subscriptions()]) {
      if (subscription.ref.path !== path || subscription.source.isMadeHere === true) continue;
      const { holder, sender, feed } = subscription;
      if (passed.includes(holder.peerNode))
        holder.refuse(subscription.id, 'loop', `${path} comes through node ${holder.peerNode} now`, epoch);
      else sender.control(writePath(feed.writer.feed, epoch, passed));
    }
  }

  /** Says goodbye to all peers (they look for the streams elsewhere) and stops to accept; resolves at most 1 s later. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    clearInterval(this.ticker);
    this.http.close();
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const holder of [...this.holders]) holder.close('relay.stopping', 'the node is stopping');
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, CLOSE_MS_MAX);
    });
    await Promise.race([ended, late]);
    clearTimeout(deadline);
    for (const holder of this.holders) holder.destroy();
  }

  private *subscriptions(): Iterable<HeldSubscription> {
    for (const holder of this.holders) yield* holder.subscriptions.values();
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    for (const holder of [...this.holders]) holder.tick(now);
  }

  private accept(socket: TLSSocket): void {
    const { options } = this;
    const certificate = socket.getPeerCertificate();
    const { CN } = certificate.subject;
    const peerNode = typeof CN === 'string' ? CN : '';
    if (this.isClosing || peerNode === '' || !options.mayConnect(peerNode, certificate.serialNumber)) {
      count(this.closedByCode, 'relay.not-a-member');
      options.log.warn({ code: 'relay.not-a-member', node: peerNode, serial: certificate.serialNumber }, 'relay peer refused');
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.connectionsTotal++;
    if (socket.alpnProtocol === HTTP_PROTOCOL) this.http.accept(socket, peerNode);
    else this.hold(socket, peerNode);
  }

  private hold(socket: TLSSocket, peerNode: string): void {
    const { options } = this;
    const holder = new RelayHolder(socket, {
      node: options.node,
      cluster: options.cluster,
      peerNode,
      queue: { ...RELAY_QUEUE_DEFAULTS, ...limitsOf(options) },
      clock: options.clock,
      log: options.log,
      open: (wish) => this.open(wish, peerNode),
      feedOf: (source) => this.feedOf(source),
      left: (feed) => this.left(feed),
      dropped: (messages) => {
        this.dropped += messages;
      },
      refused: (code) => count(this.refusedByCode, code),
      closed: (code) => count(this.closedByCode, code),
    });
    this.holders.add(holder);
    socket.on('close', () => {
      this.holders.delete(holder);
      this.bytesOfClosed += holder.bytesSent;
    });
  }

  /** The source for a wish, or why not; `hops` of the answer end with this node. */
  private open(wish: RelayWish, peerNode: string): RelaySource | RelayRefused {
    const { node, sources } = this.options;
    if (wish.hops.includes(node))
      return { refused: 'loop', message: `node ${node} would pull the stream from itself: ${wish.hops.join(', ')}` };
    const source = sources.open(wish);
    if ('refused' in source) return source;
    const { epoch } = source;
    if (epoch < wish.epoch)
      return { refused: 'stale-epoch', message: `node ${node} has epoch ${epoch} of the stream, not ${wish.epoch}`, epoch };
    const hops = [...source.hops, node];
    if (hops.some((hop) => wish.hops.includes(hop))) {
      return {
        refused: 'loop',
        message: `the stream comes to node ${node} by ${hops.join(', ')}, but was to go to ${wish.hops.join(', ')}`,
        epoch,
      };
    }
    if (hops.length + wish.hops.length > HOPS_MAX)
      return { refused: 'loop', message: `node ${peerNode} is more than ${HOPS_MAX} hops away`, epoch };
    return { ...source, hops };
  }

  private feedOf(source: FrameSource): HubToRelay {
    let feed = this.feeds.get(source);
    if (feed === undefined) {
      this.lastFeed = (this.lastFeed + 1) >>> 0;
      feed = new HubToRelay(
        source,
        this.lastFeed,
        () => this.options.clock.monotonic(),
        () => this.over(source),
      );
      this.feeds.set(source, feed);
    }
    return feed;
  }

  private left(feed: HubToRelay): void {
    if (feed.isIdle) this.feeds.delete(feed.source);
  }

  private over(source: FrameSource): void {
    const feed = this.feeds.get(source);
    this.feeds.delete(source);
    for (const subscription of [...this.subscriptions()]) {
      if (subscription.feed === feed) subscription.holder.forget(subscription.id);
    }
  }
}

function limitsOf({ subscriptionBytesMax, connectionBytesMax }: Partial<FeedSenderOptions>): Partial<FeedSenderOptions> {
  return {
    ...(subscriptionBytesMax === undefined ? {} : { subscriptionBytesMax }),
    ...(connectionBytesMax === undefined ? {} : { connectionBytesMax }),
  };
}

function count(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}
