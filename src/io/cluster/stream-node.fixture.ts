import pino from 'pino';
import type { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import type { NodeRole, NodeStatus, NodeView } from '../../cluster/mod.ts';
import { IDLE_LOAD } from '../../cluster/node-load.fixture.ts';
import { durationMs, monotonicMs, sizeBytes } from '../../core/mod.ts';
import { Hub } from '../../hub/mod.ts';
import type { Ladder } from '../../transcode/mod.ts';
import { systemClock } from '../clock.ts';
import { RelayClient } from '../relay/relay-client.ts';
import { HlsFiles } from '../relay/relay-node.fixture.ts';
import type { RelayTls } from '../relay/relay-pull.ts';
import { RelayServer } from '../relay/relay-server.ts';
import { Transcoding } from '../transcode/mod.ts';
import { ClusterStreams } from './cluster-streams.ts';

const log = pino({ level: process.env['CLUSTER_LOG'] ?? 'silent' });

/** Who is in the cluster, as all nodes of a test know at once. */
export class TestMembers {
  readonly views: Map<string, NodeView> = new Map();
  private readonly nodes = new Map<string, StreamNode>();

  join(node: StreamNode, view: NodeView): void {
    this.nodes.set(view.record.id, node);
    this.views.set(view.record.id, view);
    this.changed();
  }

  /** Marks a node as dead, or gives it another status. */
  set(id: string, { isStale = false, status = 'active' }: { readonly isStale?: boolean; readonly status?: NodeStatus }): void {
    const view = this.views.get(id);
    if (view !== undefined) this.views.set(id, { ...view, isStale, record: { ...view.record, status } });
    this.changed();
  }

  private changed(): void {
    for (const { streams } of this.nodes.values()) streams?.nodesChanged();
  }
}

export interface StreamNodeOptions {
  readonly id: string;
  readonly role: NodeRole;
  readonly region?: string;
  readonly ladder: Ladder;
  /** What it can make at a time. */
  readonly tasksMax?: number;
  /** What it says that it can make at a time, where that is not the truth. */
  readonly tasksMaxSaid?: number;
  readonly relayChildrenMax?: number;
  /** How long it pulls a stream that nobody watches on it; default: longer than any test. */
  readonly lingerMs?: number;
}

/** What a node does with streams (hub, directory, relay, rungs), without its membership, its API and its publishers. */
export class StreamNode {
  readonly id: string;
  readonly hub: Hub;
  readonly transcoding: Transcoding;
  streams: ClusterStreams | undefined = undefined;
  /** HLS as a viewer gets it, by rendition; `source` is the stream itself. */
  readonly hls: Map<string, HlsFiles> = new Map();
  private readonly server: RelayServer;
  private readonly client: RelayClient;
  private readonly ticker: NodeJS.Timeout;

  private constructor({ id, ladder, tasksMax = 4 }: StreamNodeOptions, tls: RelayTls) {
    this.id = id;
    const shared = { node: id, cluster: 'test', tls, clock: systemClock, log };
    this.client = new RelayClient(shared);
    this.server = new RelayServer({
      ...shared,
      host: '127.0.0.1',
      port: 0,
      portKey: 'relay.port',
      portVariable: 'SLUICE_RELAY_PORT',
      mayConnect: () => true,
      sources: { open: (wish) => this.streams?.open(wish) ?? { refused: 'unknown', message: 'just starting' } },
    });
    this.hub = this.createHub();
    this.transcoding = new Transcoding({
      hub: this.hub,
      ladderOf: () => ladder,
      tasksMax,
      makers: {
        makesSomeOf: (path) => this.streams?.makers.makesSomeOf(path) ?? false,
        makes: (path, rung) => this.streams?.makers.makes(path, rung) ?? false,
        isOrdered: (path, rung) => this.streams?.makers.isOrdered(path, rung) ?? false,
        isForAnother: (path, rung) => this.streams?.makers.isForAnother(path, rung) ?? false,
        refusalOf: (path, rung) => this.streams?.makers.refusalOf(path, rung),
        place: (stream, offer, out) => this.streams?.makers.place(stream, offer, out) ?? { because: undefined },
      },
      clock: systemClock,
      log,
    });
    this.ticker = setInterval(() => this.hub.tick(systemClock.monotonic()), 50);
  }

  static async start(options: StreamNodeOptions, tls: RelayTls, engine: MemoryEngine, members: TestMembers): Promise<StreamNode> {
    const node = new StreamNode(options, tls);
    await node.server.listen();
    node.transcoding.start();
    node.join(options, engine, members);
    return node;
  }

  /** Begins to watch a rendition by HLS; asks for the stream first. */
  watch(path: string, rendition: string): boolean {
    const stream = this.hub.stream(path);
    if (stream === undefined) this.streams?.supply({ path, app: path.split('/')[0] ?? '', name: path.split('/')[1] ?? '' } as never);
    if (stream === undefined || (rendition !== 'source' && !stream.renditions.has(rendition))) return false;
    if (!this.hls.has(rendition)) this.hls.set(rendition, new HlsFiles(stream, rendition === 'source' ? '' : rendition));
    return true;
  }

  /** Nodes that something is pulled from. */
  get upstreams(): readonly string[] {
    return this.client.stats().hops.map(({ node }) => node);
  }

  /** Dies without a word. */
  async kill(): Promise<void> {
    this.streams?.close();
    this.client.close();
    await Promise.all([this.server.close(), this.transcoding.close()]);
  }

  async close(): Promise<void> {
    clearInterval(this.ticker);
    await this.kill();
  }

  private join(
    { id, role, region = 'eu', tasksMax = 4, tasksMaxSaid = tasksMax, relayChildrenMax = 16, lingerMs = 60_000 }: StreamNodeOptions,
    engine: MemoryEngine,
    members: TestMembers,
  ): void {
    const { store, bus } = engine.client();
    const nodes = {
      nodes: () => members.views.values(),
      node: (node: string) => members.views.get(node),
      isAlive: (node: string) => members.views.get(node)?.isStale === false,
      isJudging: true,
      isFirstOfRegion: false,
    };
    this.streams = new ClusterStreams({
      store,
      bus,
      nodeId: id,
      incarnation: 1,
      region,
      nodes,
      hub: this.hub,
      client: this.client,
      pathChanged: (path, epoch, hops) => this.server.pathChanged(path, epoch, hops),
      isAwaited: () => false,
      isPulled: (path) => this.server.isPulled(path),
      pullersOf: (path) => this.server.pullersOf(path),
      relayChildrenMax,
      secondPublisher: () => 'reject',
      isDraining: () => members.views.get(id)?.record.status === 'draining',
      makesRungs: role === 'transcode' || role === 'mono',
      standingOf: (path, rung) => this.transcoding.standingOf(path, rung),
      countsAudiences: () => true,
      offer: () => (role === 'transcode' ? { tasksMax: tasksMaxSaid, cpuMax: 64, costs: {}, hardwareCodecs: [] } : undefined),
      streamChanged: () => undefined,
      lingerMs,
      clock: systemClock,
      log,
    });
    const endpoints = { http: 'http://127.0.0.1:1', relay: `127.0.0.1:${this.server.port}` };
    const record = {
      v: 1,
      id,
      region,
      roles: [role],
      status: 'active',
      incarnation: 1,
      endpoints,
      version: '1',
      protocol: 1,
      joinedAtMs: 0,
    } as const;
    const heartbeat = { v: 1, id, incarnation: 1, sentMs: 0, ...IDLE_LOAD, tasksMax: tasksMaxSaid } as const;
    members.join(this, { record, heartbeat, incarnation: 1, headroom: 1, isStale: false, heardAt: monotonicMs(0), clockOffsetMs: 0 });
  }

  private createHub(): Hub {
    const changed = (path: string): void => {
      const stream = this.hub.stream(path);
      if (stream !== undefined) this.streams?.changed(stream);
      this.server.renditionsChanged(path);
    };
    return new Hub(
      {
        streamStarted: ({ path }) => {
          const stream = this.hub.stream(path);
          if (stream !== undefined) this.streams?.started(stream);
        },
        streamHeld: ({ path }) => changed(path),
        streamResumed: ({ path }) => changed(path),
        streamEnded: ({ path }) => this.streams?.ended(path),
        renditionsChanged: ({ path }) => changed(path),
        sinkFailed: (_ref, error) => {
          throw error;
        },
      },
      {
        holdMs: durationMs(60_000),
        segmentTargetMs: durationMs(1_000),
        partTargetMs: durationMs(200),
        streamsMax: 10,
        gopCacheBytesMax: sizeBytes(20_000_000),
        tracksMax: 4,
      },
    );
  }
}
