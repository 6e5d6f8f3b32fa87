import type pino from 'pino';
import { nodeOperations, type Operation } from '../api/mod.ts';
import {
  type Bus,
  Membership,
  type MembershipOutput,
  type NodeLoad,
  type OwnState,
  Revocations,
  ROUTE_WEIGHTS,
  type RouteWeights,
  type RoutingRules,
  type SecondPublisher,
  type Store,
  type TranscodeOffer,
} from '../cluster/mod.ts';
import type { StreamRef } from '../core/mod.ts';
import type { Hub, LiveStream, StreamBeginning } from '../hub/mod.ts';
import {
  ClientRegion,
  type Clock,
  ClusterRoute,
  ClusterStreams,
  LoadSampler,
  type MachineLoad,
  type NatsServerProcess,
  type NodeIdentity,
  NodeRouting,
  ownNodeOf,
  RedirectGate,
  RelayClient,
  RelayServer,
  type RelayTls,
  type RungMakers,
  type RungStanding,
  SESSION_FORWARD_DEFAULTS,
  SessionForward,
  type StreamSupplier,
  saveIdentity,
  type TraceSpan,
  type Tracing,
} from '../io/mod.ts';
import { advertisedEndpoints, type NodePorts } from './advertised-endpoints.ts';
import { CertificateUpkeep } from './certificate-upkeep.ts';
import { ClusterAllocation } from './cluster-allocation.ts';
import { ClusterAuthority } from './cluster-authority.ts';
import { type ClusterHealth, type ClusterParts, type ClusterStats, clusterHealth, clusterStats } from './cluster-health.ts';
import type { Config } from './config/mod.ts';
import { type Coordination, openCoordination, renewNatsServer } from './coordination.ts';
import { Draining, type WhoIsLeft } from './draining.ts';
import { MemberConsole } from './member-console.ts';
import { type OwnIdentity, openIdentity } from './own-identity.ts';
import { OWN_STATES } from './own-states.ts';
import type { StreamFollower } from './stream-events.ts';

export interface ClusterMemberOptions {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** What a node says of its load beside what the machine says. */
export type NodeServiceLoad = Omit<NodeLoad, keyof MachineLoad>;

/** What the node lends its part in the cluster. */
export interface ClusterNeeds {
  readonly hub: Hub;
  /** How many watch here and what is made here. */
  readonly load: () => NodeServiceLoad;
  /** Whether somebody waits here for a stream that is on its way. */
  readonly isAwaited: (path: string) => boolean;
  /** As they are in use. */
  readonly ports: Omit<NodePorts, 'relay'>;
  readonly secondPublisher: (app: string) => SecondPublisher;
  /** How a rung of another node's stream stands here. */
  readonly standingOf: (path: string, rung: string) => RungStanding | undefined;
  /** What this node can make for others; undefined: nothing. */
  readonly offer: () => TranscodeOffer | undefined;
  /** Asks publishers to go on at another node; returns how many it could ask. */
  readonly movePublishers: () => number;
}

const TICK_MS = 100;

/** This node's part in its cluster: membership, directory, relays, and on managers what lets others in. */
export class ClusterMember implements StreamFollower, StreamSupplier {
  readonly nodeId: string;
  /** `GET /cluster`. */
  readonly route: ClusterRoute;
  /** Sends clients on who belong to other nodes. */
  readonly gate: RedirectGate;
  /** WebRTC sessions of other nodes. */
  readonly forward: SessionForward;
  /** Nodes that make rungs for one another; alone until this node is a member. */
  readonly makers: RungMakers = {
    makesSomeOf: (path) => this.streams?.makers.makesSomeOf(path) ?? false,
    makes: (path, rung) => this.streams?.makers.makes(path, rung) ?? false,
    isOrdered: (path, rung) => this.streams?.makers.isOrdered(path, rung) ?? false,
    isForAnother: (path, rung) => this.streams?.makers.isForAnother(path, rung) ?? false,
    refusalOf: (path, rung) => this.streams?.makers.refusalOf(path, rung),
    place: (stream, offer, out) => this.streams?.makers.place(stream, offer, out) ?? { because: undefined },
  };
  /** Who makes what for whom. */
  readonly allocation: ClusterAllocation;
  /** What the console shows of the cluster. */
  readonly console: MemberConsole;
  private readonly options: ClusterMemberOptions;
  private identity: NodeIdentity;
  private readonly coordination: Coordination;
  private readonly manager: ClusterAuthority | undefined;
  private readonly nats: NatsServerProcess | undefined;
  private readonly sampler: LoadSampler;
  private readonly region: ClientRegion;
  private weights: RouteWeights = ROUTE_WEIGHTS;
  private readonly endings: (() => void)[] = [];
  private membership: Membership | undefined;
  /** From the start until this node is a member. */
  private joining: TraceSpan | undefined;
  private relay: { readonly server: RelayServer; readonly client: RelayClient } | undefined;
  private streams: ClusterStreams | undefined;
  private state: OwnState = 'joining';
  private needs: ClusterNeeds | undefined;
  private readonly draining: Draining;
  private drained: () => void = () => undefined;

  /** Of the cluster that this node has joined, or founds; undefined when it does neither. Throws `SluiceError`, e.g. when the store is another cluster's. */
  static async open(options: ClusterMemberOptions): Promise<ClusterMember | undefined> {
    const { config, clock, log } = options;
    const own = await openIdentity(config, log);
    if (own === undefined) return undefined;
    const coordination = await openCoordination(own, log);
    const manager = await ClusterAuthority.open({ identity: own.identity, coordination, clock, log });
    return new ClusterMember(options, own, coordination, manager);
  }

  private constructor(
    options: ClusterMemberOptions,
    { identity, nats }: OwnIdentity,
    coordination: Coordination,
    manager: ClusterAuthority | undefined,
  ) {
    const { config, clock, log } = options;
    this.options = options;
    this.identity = identity;
    this.manager = manager;
    this.nats = nats;
    this.nodeId = identity.nodeId;
    this.coordination = coordination;
    const { store, bus } = this.coordination;
    this.allocation = new ClusterAllocation({
      nodeId: this.nodeId,
      roles: identity.roles,
      store,
      bus,
      streams: () => this.streams,
      isDraining: () => this.isDraining,
      clock,
      log,
    });
    const membership = (): Membership | undefined => this.membership;
    this.console = new MemberConsole({ ownId: this.nodeId, store, bus, clock, membership, streams: () => this.streams });
    this.sampler = new LoadSampler({ dataFolder: config.dataFolder, networkMaxBps: 0, now: () => clock.monotonic() });
    const { networks, regionHeader } = config.cluster;
    const region = new ClientRegion({ networks: new Map(Object.entries(networks)), header: regionHeader, fallback: identity.region });
    this.region = region;
    const routing = new NodeRouting({
      nodes: () => this.membership?.nodes() ?? [],
      node: (id) => this.membership?.node(id),
      hasStream: (node, stream) => this.streams?.isWith(node, stream) ?? false,
      weights: () => this.weights,
    });
    this.route = new ClusterRoute({ routing, region });
    this.gate = new RedirectGate(
      { node: identity.nodeId, roles: identity.roles, state: this.state },
      {
        routing,
        region,
        isOnlyHere: (path) => this.streams?.isOnlyHere(path) ?? false,
        clock,
      },
    );
    this.forward = new SessionForward({
      ...SESSION_FORWARD_DEFAULTS,
      ownId: identity.nodeId,
      node: (id) => this.membership?.node(id),
      ca: identity.ca,
      log,
    });
    this.draining = new Draining({
      movePublishers: () => this.needs?.movePublishers() ?? 0,
      left: () => this.whoIsLeft(),
      end: () => this.drained(),
      log,
    });
  }

  /** Opens the relay port and registers the node; the node itself listens already. */
  async start(needs: ClusterNeeds): Promise<void> {
    this.needs = needs;
    const { load, ports } = needs;
    const { identity, options, coordination } = this;
    const { version, clock, log, tracing } = options;
    const { store, bus } = coordination;
    this.joining = tracing?.begin('cluster.join', { attributes: { 'sluice.node': this.nodeId, 'sluice.region': identity.region } });
    const revocations = new Revocations(store, ({ node }) => {
      log.info({ code: 'cluster.node-revoked', node }, 'a node was removed');
      this.relay?.server.disconnect(node);
    });
    const tls = tlsOf(identity);
    const server = this.createRelayServer(tls, revocations);
    await server.listen();
    const client = new RelayClient({ tls, node: this.nodeId, cluster: identity.clusterName, tracing, clock, log });
    this.relay = { server, client };
    const host = new URL(identity.endpoints.http).hostname;
    const endpoints = advertisedEndpoints(options.config, host, { ...ports, relay: server.port });
    const membership = new Membership(this.membershipOutput(), {
      store,
      bus,
      clock,
      own: { ...ownNodeOf(identity, version), endpoints, startedAtMs: Math.round(performance.timeOrigin) },
      clusterId: identity.clusterId,
      load: () => ({ ...this.sampler.sample(), ...load() }),
    });
    this.membership = membership;
    membership.start();
    if (this.manager !== undefined) this.endings.push(this.manager.serve());
    const upkeep = new CertificateUpkeep(identity, {
      bus,
      now: () => clock.wall(),
      renewed: (renewed) => this.renewed(renewed),
      log,
    });
    const ticker = setInterval(() => this.tick(membership, needs), TICK_MS);
    this.endings.push(
      () => clearInterval(ticker),
      () => upkeep.close(),
      () => revocations.close(),
      () => membership.close(),
    );
  }

  /** Says goodbye to nodes that pull from here, then to the cluster. */
  async close(): Promise<void> {
    this.joining?.end('cluster.stopped');
    this.draining.close();
    this.console.close();
    this.allocation.close();
    this.streams?.close();
    for (const end of this.endings.splice(0)) end();
    this.relay?.client.close();
    await this.relay?.server.close();
    this.sampler.close();
    await this.coordination.close();
    await this.nats?.stop();
  }

  stats(): ClusterStats {
    return clusterStats(this.parts());
  }

  health(): ClusterHealth {
    return clusterHealth(this.parts());
  }

  /** Whether publishers and viewers are to go on at other nodes. */
  get isDraining(): boolean {
    return this.state === 'draining';
  }

  /** Leads everybody away because the process is to end; undefined when the configuration gives no time for that. Settles when they have gone. */
  drain(): Promise<void> | undefined {
    const { config, clock } = this.options;
    const forMs = config.cluster.drainMs;
    if (forMs === 0 || this.membership === undefined || (this.state !== 'active' && this.state !== 'draining')) return undefined;
    if (this.state === 'active') {
      this.membership.setOwnStatus('draining', { forMs, deadlineWallMs: Math.round(clock.wall()) + forMs });
    }
    return this.draining.untilOver(forMs);
  }

  /** `ended` is called when the time that an operator gave this node to drain is up. */
  whenDrained(ended: () => void): void {
    this.drained = ended;
  }

  /** Whether this node lets others in. */
  get isManager(): boolean {
    return this.manager !== undefined;
  }

  /** Where clients are sent from now on; undefined: by the configuration. Networks that cannot be read leave everything as it is. */
  routeBy(rules: RoutingRules | undefined): void {
    const { config, log } = this.options;
    const { networks, regionHeader } = rules ?? config.cluster;
    try {
      this.region.goBy({ networks: new Map(Object.entries(networks)), header: regionHeader });
      this.weights = rules?.weights ?? ROUTE_WEIGHTS;
    } catch (error) {
      log.warn({ code: 'cluster.routing-wrong', err: error }, 'the routing rules cannot be read: those before stay in use');
    }
  }

  /** The cluster's bus, as this node reaches it. */
  get bus(): Bus {
    return this.coordination.bus;
  }

  /** Whether any node has the stream. */
  isKnown(path: string): boolean {
    return this.streams?.known(path) !== undefined;
  }

  /** Whether a publisher of this node waits for the place of another one. */
  standsBy(path: string): boolean {
    return this.streams?.standsBy(path) ?? false;
  }

  /** The cluster's store, as this node reaches it. */
  get store(): Store {
    return this.coordination.store;
  }

  // Of the API.

  operations(): readonly Operation[] {
    return [...nodeOperations(this.console.registry), ...(this.manager?.operations() ?? [])];
  }

  // Of streams.

  streamStarted(stream: LiveStream): void {
    this.streams?.started(stream);
  }

  streamEnded({ path }: StreamRef): void {
    this.streams?.ended(path);
  }

  /** A stream was held or resumed, or has other renditions. */
  streamChanged(stream: LiveStream): void {
    this.streams?.changed(stream);
    this.relay?.server.renditionsChanged(stream.ref.path);
  }

  /** When a stream that is published here began elsewhere. */
  startedBefore(path: string): StreamBeginning | undefined {
    return this.streams?.startedBefore(path);
  }

  /** Whether the stream's origin is to be left. */
  isGivenUp(path: string): boolean {
    return this.streams?.isGivenUp(path) ?? false;
  }

  supply(ref: StreamRef): boolean {
    return this.streams?.supply(ref) ?? false;
  }

  private createRelayServer(tls: RelayTls, revocations: Revocations): RelayServer {
    const { config, clock, log } = this.options;
    return new RelayServer({
      ...config.cluster.relay,
      portKey: 'cluster.relay.port',
      portVariable: 'SLUICE_CLUSTER_RELAY_PORT',
      tls,
      node: this.nodeId,
      cluster: this.identity.clusterName,
      mayConnect: (node, serial) => this.membership?.node(node) !== undefined && !revocations.has(node, serial.toLowerCase()),
      sources: { open: (wish) => this.streams?.open(wish) ?? { refused: 'unknown', message: 'this node is just starting' } },
      clock,
      log,
    });
  }

  private membershipOutput(): MembershipOutput {
    const { log } = this.options;
    return {
      nodeChanged: (view) => {
        this.streams?.nodesChanged();
        this.allocation.nodesChanged();
        this.console.nodeChanged(view);
      },
      nodeGone: (id) => {
        this.streams?.nodesChanged();
        this.allocation.nodesChanged();
        this.console.nodeGone(id);
      },
      ownStatus: (state, drainForMs) => {
        const isSame = state === this.state;
        if (!isSame) this.become(state);
        if (state === 'draining') this.draining.begin(drainForMs);
        else this.draining.undo();
        if (isSame) return;
        log[state === 'foreign' ? 'error' : 'info']({ code: `cluster.own-${state}`, node: this.nodeId }, OWN_STATES[state]);
        if (state === 'removed' || state === 'superseded' || state === 'foreign') this.leave();
      },
      warning: (code, message) => log.warn({ code }, message),
    };
  }

  private tick(membership: Membership, needs: ClusterNeeds): void {
    const now = this.options.clock.monotonic();
    if (now >= membership.wakeAt) membership.tick(now);
    const { incarnation } = membership;
    if (this.streams === undefined && incarnation !== undefined && this.relay !== undefined) {
      this.streams = this.createStreams(membership, incarnation, this.relay, needs);
      this.allocation.begin(membership, incarnation);
      this.joining?.end();
      this.joining = undefined;
    }
    this.allocation.tick(now);
  }

  private createStreams(
    membership: Membership,
    incarnation: number,
    { client, server }: { readonly client: RelayClient; readonly server: RelayServer },
    { hub, secondPublisher, standingOf, isAwaited, offer }: ClusterNeeds,
  ): ClusterStreams {
    const { clock, log, config } = this.options;
    const { store, bus } = this.coordination;
    const streams = new ClusterStreams({
      store,
      bus,
      nodeId: this.nodeId,
      incarnation,
      region: this.identity.region,
      nodes: membership,
      hub,
      client,
      pathChanged: (path, epoch, hops) => server.pathChanged(path, epoch, hops),
      isPulled: (path) => server.isPulled(path),
      pullersOf: (path) => server.pullersOf(path),
      isAwaited,
      secondPublisher,
      isDraining: () => this.isDraining,
      makesRungs: this.identity.roles.includes('transcode') || this.identity.roles.includes('mono'),
      standingOf,
      offer,
      lingerMs: config.cluster.lingerMs,
      relayChildrenMax: config.cluster.relay.childrenMax,
      streamChanged: (path, known) => this.console.streamChanged(path, known),
      clock,
      log,
    });
    for (const stream of hub.streams()) streams.started(stream);
    return streams;
  }

  private parts(): ClusterParts {
    const { membership, relay, coordination, identity, state } = this;
    return { membership, relay, coordination, identity, state, streams: this.streams?.count ?? 0 };
  }

  private become(state: OwnState): void {
    this.state = state;
    this.gate.standingChanged({ node: this.nodeId, roles: this.identity.roles, state });
    this.streams?.nodesChanged();
  }

  private whoIsLeft(): WhoIsLeft {
    let streams = 0;
    let viewers = 0;
    for (const stream of this.needs?.hub.streams() ?? []) {
      if (stream.publisher.protocol !== 'relay') streams++;
      for (const count of stream.viewers.values()) viewers += count;
    }
    return { streams, viewers };
  }

  private renewed(identity: NodeIdentity): void {
    this.identity = identity;
    saveIdentity(this.options.config.dataFolder, identity);
    this.coordination.showCertificate(identity);
    this.relay?.server.showCertificate(tlsOf(identity));
    this.relay?.client.showCertificate(tlsOf(identity));
    if (this.nats !== undefined) renewNatsServer(this.nats, this.options.config.dataFolder, identity);
  }

  /** Out of the cluster: what is published here stays, what came from others does not. */
  private leave(): void {
    this.allocation.close();
    this.streams?.close();
    this.streams = undefined;
    this.relay?.client.close();
    void this.relay?.server.close();
    this.relay = undefined;
  }
}

const tlsOf = ({ privateKey, certificate, ca }: NodeIdentity): RelayTls => ({ key: privateKey, cert: certificate, ca });
