import type pino from 'pino';
import { nodeOperations, type Operation } from '../api/mod.ts';
import {
  type Bus,
  ClusterTerms,
  Membership,
  type MembershipOutput,
  type NodeView,
  type OwnState,
  Revocations,
  type Store,
} from '../cluster/mod.ts';
import { SluiceError, type StreamRef } from '../core/mod.ts';
import type { LiveStream, StreamBeginning } from '../hub/mod.ts';
import {
  type Clock,
  ClusterStreams,
  LoadSampler,
  type NatsServerProcess,
  type NodeAnswer,
  type NodeIdentity,
  type NodeQuestion,
  ownNodeOf,
  RedirectGate,
  type RelayUpstream,
  type RungMakers,
  SESSION_FORWARD_DEFAULTS,
  SessionForward,
  StreamGivers,
  type StreamSupplier,
  saveIdentity,
  type TraceSpan,
  type Tracing,
} from '../io/mod.ts';
import type { ClusterMembership } from './access.ts';
import { advertisedEndpoints } from './advertised-endpoints.ts';
import { CertificateUpkeep } from './certificate-upkeep.ts';
import { ClientRouting } from './client-routing.ts';
import { ClusterAllocation } from './cluster-allocation.ts';
import { ClusterAuthority } from './cluster-authority.ts';
import { type ClusterHealth, type ClusterParts, type ClusterStats, clusterHealth, clusterStats } from './cluster-health.ts';
import type { ClusterNeeds } from './cluster-needs.ts';
import type { Config } from './config/mod.ts';
import { type Coordination, openCoordination, REFUSED_MS_MAX, renewNatsServer } from './coordination.ts';
import { Draining, whoIsLeft } from './draining.ts';
import { beginFounderDuties } from './founder-duties.ts';
import { joinElsewhere } from './join-elsewhere.ts';
import { MemberConsole } from './member-console.ts';
import { MemberRelay } from './member-relay.ts';
import { type OwnIdentity, openIdentity, standingOf } from './own-identity.ts';
import { OwnRemoval } from './own-removal.ts';
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

const TICK_MS = 100;

/** This node's part in its cluster: membership, directory, relays, and on managers what lets others in. */
export class ClusterMember implements StreamFollower, StreamSupplier {
  readonly nodeId: string;
  /** Where clients are sent. */
  readonly routing: ClientRouting;
  /** Sends clients on who belong to other nodes. */
  readonly gate: RedirectGate;
  /** WebRTC sessions of other nodes. */
  readonly forward: SessionForward;
  /** Whom streams come from. */
  readonly givers: StreamGivers;
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
  private readonly endings: (() => void)[] = [];
  private membership: Membership | undefined;
  /** From the start until this node is a member. */
  private joining: TraceSpan | undefined;
  private relay: MemberRelay | undefined;
  private streams: ClusterStreams | undefined;
  private state: OwnState = 'joining';
  /** What this node is to its cluster, as far as keys go. */
  readonly standing: ClusterMembership;
  /** When an operator takes this node out of the cluster. */
  readonly removal: OwnRemoval;
  private needs: ClusterNeeds | undefined;
  private readonly draining: Draining;
  private drained: () => void = () => undefined;

  /** Of the cluster that this node has joined, or founds; undefined when it does neither. Throws `SluiceError`, e.g. when the store is another cluster's. */
  static async open(options: ClusterMemberOptions): Promise<ClusterMember | undefined> {
    const { config, clock, log } = options;
    const own = await openIdentity(config, log);
    if (own === undefined) return undefined;
    const coordination = await openCoordination(own, config.dataFolder, log);
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
    this.routing = new ClientRouting({
      config,
      region: identity.region,
      nodes: { recordsOf: (of) => this.membership?.recordsOf(of) ?? [], node: (id) => this.membership?.node(id) },
      hasStream: (node, stream) => this.streams?.isWith(node, stream) ?? false,
      isNamedByClients: false,
      log,
    });
    this.gate = new RedirectGate(
      { node: identity.nodeId, roles: identity.roles, state: this.state },
      {
        routing: this.routing.nodes,
        region: this.routing.region,
        isOnlyHere: (path) => this.streams?.isOnlyHere(path) ?? false,
        clock,
      },
    );
    this.forward = new SessionForward({
      ...SESSION_FORWARD_DEFAULTS,
      ownId: identity.nodeId,
      node: (id) => this.membership?.node(id),
      ask: (owner, question) => this.ask(owner, question),
      log,
    });
    this.givers = new StreamGivers({
      pathOf: (path) => this.streams?.pathOf(path) ?? [],
      node: (id) => this.membership?.node(id),
      ask: (giver, question) => this.ask(giver, question),
    });
    this.standing = standingOf(identity, config);
    this.removal = new OwnRemoval({
      dataFolder: config.dataFolder,
      identity: () => this.identity,
      leave: () => {
        this.become('removed');
        this.leave();
      },
      log,
    });
    this.draining = new Draining({
      movePublishers: () => this.needs?.movePublishers() ?? 0,
      left: () => whoIsLeft(this.needs?.hub.streams() ?? []),
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
      if (node === this.nodeId) this.removal.happened(true);
      this.relay?.server.disconnect(node);
    });
    this.relay = await this.openRelay(needs, revocations);
    const host = new URL(identity.endpoints.http).hostname;
    const endpoints = advertisedEndpoints(options.config, host, { ...ports, relay: this.relay.server.port });
    const terms = new ClusterTerms(store);
    const membership = new Membership(this.membershipOutput(), {
      staleMs: () => terms.staleMs,
      store,
      bus,
      clock,
      own: { ...ownNodeOf(identity, version, options.config.cluster.nodeName), endpoints, startedAtMs: Math.round(performance.timeOrigin) },
      clusterId: identity.clusterId,
      load: () => ({ ...this.sampler.sample(), ...load() }),
    });
    this.membership = membership;
    membership.start();
    if (this.manager !== undefined) this.endings.push(this.manager.serve());
    if (this.standing.isFounder) {
      this.endings.push(beginFounderDuties({ config: options.config, nodeId: this.nodeId, store, nats: this.nats, log }));
    }
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
      () => terms.close(),
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
    await this.relay?.close();
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

  /** Whether new clients are welcome. */
  get readiness(): 'ready' | 'draining' | 'disabled' {
    return this.state === 'draining' || this.state === 'disabled' ? this.state : 'ready';
  }

  /** Leads everybody away because the process is to end; undefined when the configuration gives no time for that, or no other node is there. Settles when they have gone. */
  drain(): Promise<void> | undefined {
    const { config, clock } = this.options;
    const forMs = config.cluster.drainMs;
    if (forMs === 0 || this.membership === undefined || (this.state !== 'active' && this.state !== 'draining')) return undefined;
    // With nobody to go to, waiting would not be for anything.
    const own = this.identity.nodeId;
    const isOther = ({ record, isStale }: NodeView): boolean => record.id !== own && record.status === 'active' && !isStale;
    if (![...this.membership.nodes()].some(isOther)) return undefined;
    if (this.state === 'active') {
      this.membership.setOwnStatus('draining', { forMs, deadlineWallMs: Math.round(clock.wall()) + forMs });
    }
    return this.draining.untilOver(forMs);
  }

  /** `ended` is called when the time that an operator gave this node to drain is up. */
  whenDrained(ended: () => void): void {
    this.drained = ended;
  }

  /** Whether this node makes rungs for others, and all of its own streams. */
  get makesRungs(): boolean {
    return this.identity.roles.includes('transcode') || this.identity.roles.includes('mono');
  }

  /** Whether this node lets others in. */
  get isManager(): boolean {
    return this.manager !== undefined;
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
    return [...nodeOperations(this.console.registry), ...(this.manager?.operations() ?? this.joinElsewhere())];
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

  private joinElsewhere(): readonly Operation[] {
    const nodes = (): Iterable<NodeView> => this.membership?.nodes() ?? [];
    return joinElsewhere({ store: this.store, ca: this.identity.ca, nodes, wall: () => this.options.clock.wall() });
  }

  private openRelay({ nodeRoutes }: ClusterNeeds, revocations: Revocations): Promise<MemberRelay> {
    const { config, tracing, clock, log } = this.options;
    return MemberRelay.open({
      config: config.cluster.relay,
      identity: this.identity,
      isMember: (node, serial) => this.membership?.node(node) !== undefined && !revocations.has(node, serial),
      sources: { open: (wish) => this.streams?.open(wish) ?? { refused: 'unknown', message: 'this node is just starting' } },
      routes: () => nodeRoutes,
      tracing,
      clock,
      log,
    });
  }

  private ask(node: RelayUpstream, question: NodeQuestion): Promise<NodeAnswer> {
    const isStarting = (): Error => new SluiceError('relay.node-unreachable', 'this node is just starting');
    return this.relay?.client.ask(node, question) ?? Promise.reject(isStarting());
  }

  private membershipOutput(): MembershipOutput {
    const { log } = this.options;
    return {
      nodeChanged: (id) => {
        this.streams?.nodesChanged(id);
        this.allocation.nodesChanged();
        const view = this.membership?.node(id);
        if (view !== undefined) this.console.nodeChanged(view);
      },
      nodeGone: (id) => {
        this.streams?.nodesChanged(id);
        this.allocation.nodesChanged();
        this.console.nodeGone(id);
      },
      ownStatus: (state, drainForMs) => {
        if (state === 'removed') return this.removal.happened(true);
        const isSame = state === this.state;
        if (!isSame) this.become(state);
        if (state === 'draining') this.draining.begin(drainForMs);
        else this.draining.undo();
        if (isSame) return;
        log[state === 'foreign' ? 'error' : 'info']({ code: `cluster.own-${state}`, node: this.nodeId }, OWN_STATES[state]);
        if (state === 'superseded' || state === 'foreign') this.leave();
      },
      warning: (code, message) => log.warn({ code }, message),
    };
  }

  private tick(membership: Membership, needs: ClusterNeeds): void {
    const now = this.options.clock.monotonic();
    if (this.coordination.refusedForMs() > REFUSED_MS_MAX) this.removal.happened(false);
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
    { client, server }: MemberRelay,
    { hub, secondPublisher, standingOf, isAwaited, offer, countsAudiences }: ClusterNeeds,
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
      makesRungs: this.makesRungs,
      standingOf,
      offer,
      countsAudiences,
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

  private renewed(identity: NodeIdentity): void {
    this.identity = identity;
    saveIdentity(this.options.config.dataFolder, identity);
    this.coordination.showCertificate(identity);
    this.relay?.showCertificate(identity);
    if (this.nats !== undefined) renewNatsServer(this.nats, this.options.config.dataFolder, identity);
  }

  /** Out of the cluster: what is published here stays, what came from others does not. */
  private leave(): void {
    this.allocation.close();
    this.streams?.close();
    this.streams = undefined;
    void this.relay?.close();
    this.relay = undefined;
  }
}
