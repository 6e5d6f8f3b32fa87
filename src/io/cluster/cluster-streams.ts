import type pino from 'pino';
import { AllocationFollower } from '../../allocation/mod.ts';
import {
  type Bus,
  type Claimed,
  type FanOutChild,
  type OwnStreamState,
  type SecondPublisher,
  type Store,
  type StreamBody,
  StreamDirectory,
  type TranscodeOffer,
  type Upstream,
} from '../../cluster/mod.ts';
import { type MonotonicMs, type StreamRef, streamRef, wallMs } from '../../core/mod.ts';
import type { Hub, LiveStream, StreamBeginning } from '../../hub/mod.ts';
import type { RelayWish } from '../../protocols/relay/mod.ts';
import type { Clock } from '../clock.ts';
import type { RelayClient, RelayRefused, RelaySource, RelaySources, RelayUpstream } from '../relay/mod.ts';
import type { StreamSupplier } from '../stream-door.ts';
import type { RungMakers, RungStanding } from '../transcode/mod.ts';
import { ClusterRungs } from './cluster-rungs.ts';
import { OriginWatches } from './origin-watches.ts';
import { relayAddressOf } from './relay-address.ts';
import { RelayOffer } from './relay-offer.ts';
import { RelayedStream } from './relayed-stream.ts';
import { streamBodyOf } from './stream-body.ts';
import type { StreamNodes } from './stream-nodes.ts';
import { audienceOf, watchedRungs } from './watched-rungs.ts';

export interface ClusterStreamsOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly nodeId: string;
  readonly incarnation: number;
  readonly region: string;
  readonly nodes: StreamNodes;
  readonly hub: Hub;
  readonly client: RelayClient;
  /** Tells nodes that pull a stream from here which way it comes now. */
  readonly pathChanged: (path: string, epoch: number, hops: readonly string[]) => void;
  /** Whether somebody waits here for a stream that is on its way. */
  readonly isAwaited: (path: string) => boolean;
  /** Whether another node pulls a stream from here. */
  readonly isPulled: (path: string) => boolean;
  /** The nodes that pull a stream from here. */
  readonly pullersOf: (path: string) => Iterable<FanOutChild>;
  /** To how many nodes of its region this one gives a stream; it sends others on to these. */
  readonly relayChildrenMax: number;
  readonly secondPublisher: (app: string) => SecondPublisher;
  /** Whether this node is to be left: any other node may take its streams. */
  readonly isDraining: () => boolean;
  /** Whether this node makes rungs for others, and all of its own streams. */
  readonly makesRungs: boolean;
  /** How a rung of another node's stream stands here. */
  readonly standingOf: (path: string, rung: string) => RungStanding | undefined;
  /** What this node can make for others; undefined: nothing. */
  readonly offer: () => TranscodeOffer | undefined;
  /** Whether whoever allocates transcoding goes by how many watch a stream. */
  readonly countsAudiences: () => boolean;
  /** How long a stream is pulled on after its last viewer left. */
  readonly lingerMs: number;
  /** What is known of a stream of any node changed; undefined: nobody publishes it any more. */
  readonly streamChanged: (path: string, stream: Claimed<StreamBody> | undefined) => void;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

interface Relayed {
  readonly relayed: RelayedStream;
  epoch: number;
  /** Nodes that it passed before this one. */
  hops: readonly string[];
  /** Since when nobody watches it here. */
  idleSince: MonotonicMs | undefined;
}

const TICK_MS = 50;
const DESCRIBE_MS = 500;

/** This node's streams in the cluster: tells the others what is published here, pulls what is watched here, and gives to others what it has. */
export class ClusterStreams implements StreamSupplier, RelaySources {
  private readonly options: ClusterStreamsOptions;
  private readonly directory: StreamDirectory;
  private readonly relayed = new Map<string, Relayed>();
  /** What was last told of the streams published here. */
  private readonly told = new Map<string, string>();
  /** Published here while another node is the origin, with the newest discontinuity there. */
  private readonly standbys = new Map<string, number>();
  private readonly watches: OriginWatches;
  /** What was decided for the cluster about who makes what. */
  readonly allocation: AllocationFollower;
  private readonly rungs: ClusterRungs;
  private readonly offer: RelayOffer;
  private readonly ticker: NodeJS.Timeout;
  private describeAt = 0;

  constructor(options: ClusterStreamsOptions) {
    this.options = options;
    const { store, bus, nodeId, incarnation, region, nodes, clock } = options;
    this.allocation = new AllocationFollower({
      own: { node: nodeId, incarnation },
      bus,
      watched: () => Array.from(options.hub.streams(), watchedRungs).flat(),
      audiences: () => (options.countsAudiences() ? Array.from(options.hub.streams(), audienceOf).flat() : []),
      offer: options.offer,
      ordersChanged: () => this.rungs.ordersChanged(),
      now: () => clock.monotonic(),
    });
    this.rungs = this.createRungs();
    this.offer = new RelayOffer({
      ...options,
      childrenMax: options.relayChildrenMax,
      isDraining: (node) => this.isDraining(node),
      placeOf: (path) => this.placeOf(path),
    });
    this.watches = new OriginWatches({
      client: options.client,
      addressOf: (node) => this.addressOf(node),
      broke: (node) => this.directory.disconnected(node),
    });
    this.directory = new StreamDirectory(
      {
        store,
        bus,
        own: { node: nodeId, incarnation },
        region,
        nodes: {
          isAlive: (node, run) => nodes.isAlive(node, run),
          regionOf: (node) => nodes.node(node)?.record.region,
          isDraining: (node) => this.isDraining(node),
          isDisconnected: (node) => this.watches.isBroken(node),
          get isJudging() {
            return nodes.isJudging;
          },
          get isSweeper() {
            return nodes.isFirstOfRegion;
          },
        },
        now: () => clock.monotonic(),
        ownState: (name) => this.ownState(name),
        headMs: (name) => options.hub.stream(name)?.headMs,
        secondPublisher: (name) => options.secondPublisher(name.split('/')[0] ?? ''),
      },
      {
        pull: (name, upstream) => this.pull(name, upstream),
        stop: (name, isOver) => this.stop(name, isOver),
        held: (name, epoch, headMs) => this.held(name, epoch, headMs),
        evict: (name, to) => this.evict(name, to),
        standBy: (name, origin) => this.standBy(name, origin),
        changed: (name, stream) => {
          if (stream !== undefined && stream.holder.node !== nodeId && this.standbys.has(name)) this.waitFor(name, stream);
          this.relayed.get(name)?.relayed.makersChanged();
          options.streamChanged(name, stream);
        },
      },
    );
    this.directory.start();
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** Pulls nothing more. What is published here stays claimed until others see that this node is gone, unless it ends before. */
  close(): void {
    clearInterval(this.ticker);
    this.allocation.close();
    this.rungs.close();
    this.directory.close();
    this.watches.close();
    for (const { relayed } of this.relayed.values()) relayed.leave();
    this.relayed.clear();
  }

  // What the node tells.

  /** A node came, went, or counts as stale; undefined: any of them may have. */
  nodesChanged(node?: string): void {
    this.directory.nodesChanged(node);
    this.watches.nodesChanged();
    this.rungs.nodesChanged();
    for (const { relayed } of this.relayed.values()) relayed.makersChanged();
  }

  /** A stream began in this node's hub. */
  started(stream: LiveStream): void {
    if (stream.publisher.protocol !== 'relay') this.publish(stream);
  }

  /** Its publisher went away or came back, or its renditions are others. */
  changed(stream: LiveStream): void {
    if (this.told.has(stream.ref.path)) this.describe(stream.ref.path);
    else if (stream.state === 'live') this.started(stream);
  }

  /** A stream is over in this node's hub. */
  ended(path: string): void {
    this.waitNoMore(path);
    this.rungs.ended(path);
    this.offer.ended(path);
    if (this.told.delete(path)) this.directory.unpublish(path);
  }

  /** When a stream that is published here began elsewhere; undefined when it begins now. */
  startedBefore(path: string): StreamBeginning | undefined {
    const known = this.directory.stream(path);
    if (known === undefined) return undefined;
    return { startedWallMs: wallMs(known.body.startedWallMs), discontinuity: known.body.discontinuity + 1 };
  }

  /** Whether the node that publishes a stream is to be left, so that any other may take it over. */
  isGivenUp(path: string): boolean {
    const holder = this.directory.stream(path)?.holder.node;
    return holder !== undefined && this.isDraining(holder);
  }

  // What outputs and other nodes want.

  supply(ref: StreamRef): boolean {
    if (this.relayed.has(ref.path)) return true;
    if (!this.directory.canSource(ref.path)) return false;
    this.directory.want(ref.path);
    return true;
  }

  /** Which rungs this node makes for others, and others for it. */
  get makers(): RungMakers {
    return this.rungs;
  }

  open(wish: RelayWish): RelaySource | RelayRefused {
    const made = wish.rendition === '' ? undefined : this.rungs.open(wish);
    return made ?? this.offer.open(wish);
  }

  private placeOf(path: string): { readonly epoch: number; readonly hops: readonly string[] } | undefined {
    const own = this.directory.ownEpoch(path);
    return own === undefined ? this.relayed.get(path) : { epoch: own, hops: [] };
  }

  /** The way of a stream through the cluster to this node: its origin first; empty where it is published here. */
  pathOf(path: string): readonly string[] {
    return this.relayed.get(path)?.hops ?? [];
  }

  /** What is pulled here from other nodes, with the nodes that it passed: the last one gives it. */
  *pulled(): Iterable<{ readonly path: string; readonly hops: readonly string[] }> {
    for (const [path, { hops }] of this.relayed) yield { path, hops };
  }

  /** Streams that are published anywhere. */
  get count(): number {
    return this.directory.count;
  }

  /** All of them, in no order. */
  all(): Iterable<Claimed<StreamBody>> {
    return this.directory.all();
  }

  known(path: string): Claimed<StreamBody> | undefined {
    return this.directory.stream(path);
  }

  /** Whether a stream is published here without the cluster knowing it: the claim is on its way, or the store is away. */
  isOnlyHere(path: string): boolean {
    return this.told.has(path) && !this.standbys.has(path) && this.directory.ownEpoch(path) === undefined;
  }

  /** Whether a stream is published here while another node is the origin. */
  standsBy(path: string): boolean {
    return this.standbys.has(path);
  }

  /** Whether a node is known to have a stream: its origin, and those that it passed on its way here. */
  isWith(node: string, path: string): boolean {
    return this.directory.stream(path)?.holder.node === node || this.directory.upstreamOf(path)?.node === node;
  }

  private publish(stream: LiveStream): void {
    const { path } = stream.ref;
    const body = this.bodyOf(stream);
    this.told.set(path, JSON.stringify(body));
    const relayed = this.relayed.get(path);
    this.relayed.delete(path);
    relayed?.relayed.leave();
    this.directory.publish(path, body);
  }

  private isDraining(node: string): boolean {
    const { nodeId, isDraining, nodes } = this.options;
    return node === nodeId ? isDraining() : nodes.node(node)?.record.status === 'draining';
  }

  private ownState(path: string): OwnStreamState {
    const stream = this.options.hub.stream(path);
    if (stream === undefined || stream.publisher.protocol === 'relay') return 'none';
    return this.options.isDraining() ? 'held' : stream.state;
  }

  private held(path: string, epoch: number, headMs: number | undefined): void {
    const { log, hub, pathChanged, clock } = this.options;
    log.info({ code: 'cluster.claimed', stream: path, epoch }, 'this node is the origin of the stream');
    const before = this.standbys.get(path);
    this.waitNoMore(path);
    if (before !== undefined) hub.takePlace(path, { discontinuity: before, headMs }, clock.wall());
    pathChanged(path, epoch, []);
  }

  private standBy(path: string, origin: string): void {
    this.standbys.set(path, this.directory.stream(path)?.body.discontinuity ?? 0);
    this.watches.watch(path, origin);
    this.options.log.info({ code: 'cluster.standby', stream: path, origin }, 'a publisher stands by to take the place of another');
  }

  private waitFor(path: string, { holder, body }: Claimed<StreamBody>): void {
    this.standbys.set(path, body.discontinuity);
    this.watches.watch(path, holder.node);
  }

  private waitNoMore(path: string): void {
    this.standbys.delete(path);
    this.watches.unwatch(path);
  }

  private evict(path: string, to: string | undefined): void {
    const { hub, log, clock } = this.options;
    log.warn(
      { code: 'cluster.publisher-evicted', stream: path, origin: to },
      'the stream is published on another node: its publisher here has to go',
    );
    this.told.delete(path);
    this.waitNoMore(path);
    this.rungs.ended(path);
    if (!hub.handOver(path, clock.monotonic())) return;
    // Its viewers stay, and get it from there.
    this.directory.want(path);
  }

  private pull(path: string, upstream: Upstream): void {
    const { log } = this.options;
    log.info({ code: 'cluster.pull', stream: path, upstream: upstream.node, epoch: upstream.epoch }, 'pulling the stream');
    let entry = this.relayed.get(path);
    if (entry === undefined) {
      entry = { relayed: this.makeRelayed(path), epoch: 0, hops: [], idleSince: undefined };
      this.relayed.set(path, entry);
    }
    entry.relayed.from(upstream);
  }

  private makeRelayed(path: string): RelayedStream {
    const { hub, client, clock, log } = this.options;
    const [app = '', name = ''] = path.split('/');
    const options = {
      hub,
      client,
      log,
      ref: streamRef(app, name),
      addressOf: (node: string) => this.addressOf(node),
      makerOf: (rendition: string, upstream: Upstream) => this.rungs.makerFor(path, rendition, upstream),
      makes: (rendition: string) => this.rungs.makes(path, rendition),
      now: () => clock.monotonic(),
    };
    return new RelayedStream(options, {
      broken: (upstream) => this.directory.broken(path, upstream),
      refused: (upstream) => this.directory.refused(path, upstream),
      sentOn: (upstream, nodes) => this.directory.sentOn(path, upstream, nodes),
      path: (epoch, hops) => {
        const entry = this.relayed.get(path);
        if (entry === undefined) return;
        entry.epoch = epoch;
        entry.hops = hops;
        this.options.pathChanged(path, epoch, hops);
      },
      over: () => {
        this.relayed.delete(path);
        this.directory.unwant(path);
      },
    });
  }

  private createRungs(): ClusterRungs {
    return new ClusterRungs({
      ...this.options,
      allocation: this.allocation,
      claimed: (path) => this.directory.stream(path),
      addressOf: (node) => this.addressOf(node),
      epochOf: (path) => this.directory.ownEpoch(path) ?? 0,
      pulledEpoch: (path) => this.relayed.get(path)?.epoch,
      prepare: (path) => {
        const relayed = this.relayed.get(path);
        if (relayed === undefined) this.directory.want(path);
        else relayed.relayed.makersChanged();
      },
      makersChanged: (path) => this.describe(path),
    });
  }

  private addressOf(node: string): RelayUpstream | undefined {
    return relayAddressOf(this.options.nodes.node(node));
  }

  private stop(path: string, isOver: boolean): void {
    const entry = this.relayed.get(path);
    if (entry === undefined) return;
    this.relayed.delete(path);
    if (isOver) entry.relayed.finish();
    else entry.relayed.release();
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    this.directory.tick(now);
    this.allocation.tick(now);
    this.rungs.tick(now);
    for (const [path, entry] of [...this.relayed]) {
      entry.relayed.tick(now);
      this.linger(path, entry, now);
    }
    if (now < this.describeAt) return;
    this.describeAt = now + DESCRIBE_MS;
    for (const path of this.told.keys()) this.describe(path);
    if (this.rungs.review()) for (const { relayed } of this.relayed.values()) relayed.makersChanged();
  }

  private linger(path: string, entry: Relayed, now: MonotonicMs): void {
    const stream = this.options.hub.stream(path);
    if ((stream !== undefined && isWatched(stream)) || this.options.isPulled(path) || this.options.isAwaited(path))
      entry.idleSince = undefined;
    else entry.idleSince ??= now;
    if (entry.idleSince === undefined || now - entry.idleSince < this.options.lingerMs) return;
    this.options.log.info({ code: 'cluster.pull-ended', stream: path }, 'nobody watches the stream here any more');
    this.directory.unwant(path);
    this.stop(path, false);
  }

  private describe(path: string): void {
    const stream = this.told.has(path) ? this.options.hub.stream(path) : undefined;
    if (stream === undefined || stream.publisher.protocol === 'relay') return;
    const body = this.bodyOf(stream);
    const said = JSON.stringify(body);
    if (said === this.told.get(path)) return;
    this.told.set(path, said);
    this.directory.describe(path, body);
  }

  private bodyOf(stream: LiveStream): StreamBody {
    const makers = this.rungs.makersOf(stream.ref.path);
    return makers === undefined ? streamBodyOf(stream) : { ...streamBodyOf(stream), makers };
  }
}

function isWatched({ viewers }: LiveStream): boolean {
  for (const count of viewers.values()) if (count > 0) return true;
  return false;
}
