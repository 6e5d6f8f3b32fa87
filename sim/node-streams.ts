import {
  FanOut,
  type Holder,
  type OwnStreamState,
  type SecondPublisher,
  type StreamBody,
  StreamDirectory,
  type Upstream,
} from '../src/cluster/mod.ts';
import { monotonicMs } from '../src/core/mod.ts';
import type { Party } from './audience.ts';
import { HubStream, type Publication } from './hub-stream.ts';
import { AwaitedOrigins, type OriginWatch } from './origin-watch.ts';
import { Pullers } from './pullers.ts';
import { RelayPull } from './relay-pull.ts';
import type { SimProcess } from './sim-process.ts';

/** As in the configuration's defaults. */
const HOLD_MS = 10_000;
const LINGER_MS = 10_000;
const HOPS_MAX = 8;

/** What a node says to one that wants to pull from it. */
export type RelayAnswer =
  | { readonly epoch: number; readonly hops: readonly string[] }
  | { readonly elsewhere: readonly string[] }
  | undefined;

/** What the simulator sees of decisions: the same for all nodes. */
export interface WorldObserver {
  held(streams: NodeStreams, path: string, epoch: number): void;
  /** The process is the one that allocates transcoding. */
  leading(process: SimProcess, epoch: number): void;
}

/** What a node does with streams, as `ClusterStreams` does it, with a hub and relays that know no frames. The directory is the real one. */
export class NodeStreams {
  readonly id: string;
  readonly region: string;
  readonly process: SimProcess;
  directory: StreamDirectory | undefined = undefined;
  readonly hub: Map<string, HubStream> = new Map();
  readonly pulls: Map<string, RelayPull> = new Map();
  /** Of streams that publishers wait for here. */
  readonly origins: AwaitedOrigins = new AwaitedOrigins(this);
  /** Of other nodes, to this one. */
  readonly originWatches: Set<OriginWatch> = new Set();
  /** Streams that are held over; others, too. */
  private readonly holding = new Set<HubStream>();
  /** Who watches here, of all streams. */
  watching = 0;
  private readonly told = new Map<string, string>();
  readonly pullers: Pullers = new Pullers();
  /** Streams that nobody needs any more, and until when they are pulled all the same; those that end first come first. */
  private readonly idle = new Map<string, number>();
  private readonly fanOut: FanOut;
  private own: Holder = { node: '', incarnation: 0 };

  constructor(process: SimProcess) {
    this.process = process;
    this.id = process.place.id;
    this.region = process.place.region;
    this.fanOut = new FanOut(process.world.options.relayChildrenMax);
  }

  get holder(): Holder {
    return this.own;
  }

  /** As soon as the node is registered. */
  begin(incarnation: number): void {
    const { membership, client, world } = this.process;
    this.own = { node: this.id, incarnation };
    this.directory = new StreamDirectory(
      {
        store: client.store,
        bus: client.bus,
        own: this.own,
        region: this.region,
        nodes: {
          isAlive: (node, run) => membership.isAlive(node, run),
          regionOf: (node) => membership.record(node)?.region,
          isDraining: (node) => (node === this.id ? this.process.isDraining : membership.record(node)?.status === 'draining'),
          isDisconnected: (node) => this.origins.isDisconnected(node),
          get isJudging() {
            return membership.isJudging;
          },
          get isSweeper() {
            return membership.isFirstOfRegion;
          },
        },
        now: () => this.process.monotonic(),
        ownState: (name) => this.ownState(name),
        secondPublisher: (name) => world.policyOf(name),
        tells: 'concerned',
        share: world.knowledge.claimsOf(client),
      },
      {
        pull: (name, upstream) => this.pull(name, upstream),
        stop: (name) => this.stop(name),
        held: (name, epoch) => this.held(name, epoch),
        evict: (name) => this.evict(name),
        standBy: (name, origin) => this.origins.await(name, origin),
        changed: (name, stream) => {
          world.service.claimed(name);
          if (stream !== undefined && stream.holder.node !== this.id && this.origins.has(name))
            this.origins.await(name, stream.holder.node);
        },
      },
    );
    this.directory.start();
    for (const stream of this.hub.values()) if (!stream.isRelayed) this.tell(stream);
  }

  /** Whoever asks from now on hears that its streams may be taken. */
  drain(): void {
    this.directory?.nodesChanged();
  }

  /** The process died. */
  die(): void {
    this.directory?.close();
    for (const pull of this.pulls.values()) pull.stop();
    for (const watch of this.origins.watches()) watch.close();
    for (const watch of [...this.originWatches]) {
      this.process.world.after(
        this.latencyTo(watch.owner.id),
        () => watch.source === this && watch.owner.process.hand(() => watch.source === this && watch.broke()),
      );
    }
    for (const pull of [...this.pullers.all()]) {
      const { source } = pull;
      this.process.world.after(
        this.latencyTo(pull.owner.id),
        () => pull.source === source && pull.owner.process.hand(() => pull.source === source && pull.broke()),
      );
    }
    for (const stream of this.hub.values()) {
      stream.publication?.closed('died');
      this.process.world.service.publishesNoMore(stream);
      for (const watcher of stream.watchers) watcher.dropped();
    }
  }

  // What publishers and viewers do.

  publish(publication: Publication): boolean {
    const isTaken = this.take(publication);
    this.process.stirred();
    return isTaken;
  }

  private take(publication: Publication): boolean {
    const { path } = publication;
    const present = this.hub.get(path);
    if (this.process.isDraining) return false;
    if (present?.publication !== undefined && this.policyOf(path) !== 'takeover') return false;
    present?.publication?.closed('evicted');
    const stream = present ?? this.addStream(path, publication.startedWallMs);
    stream.publication = publication;
    stream.isRelayed = false;
    stream.heldUntil = undefined;
    if (this.told.has(path)) this.describe(path);
    else this.tell(stream);
    return true;
  }

  /** The publisher says that it is over, or is gone without a word. */
  unpublish(publication: Publication, isOver: boolean): void {
    const stream = this.hub.get(publication.path);
    if (stream?.publication !== publication) return;
    stream.publication = undefined;
    if (isOver) {
      this.end(stream);
    } else {
      this.hold(stream);
      this.describe(stream.path);
    }
  }

  /** Undefined: it cannot be had here. */
  watch(party: Party): HubStream | undefined {
    const { path } = party;
    if (this.process.isDraining) return undefined;
    let stream = this.hub.get(path);
    if (stream === undefined) {
      if (!this.pulls.has(path)) {
        if (this.directory?.canSource(path) !== true) return undefined;
        this.directory.want(path);
        this.process.stirred();
      }
      stream = this.addStream(path, 0);
      stream.isRelayed = true;
    }
    if (stream.addWatcher(party)) this.watchedBy(1);
    return stream;
  }

  unwatch(party: Party): void {
    if (this.hub.get(party.path)?.deleteWatcher(party) === true) this.watchedBy(-1);
    this.lingers(party.path);
  }

  private watchedBy(more: number): void {
    this.watching += more;
    this.process.loadChanged();
  }

  /** When it is to be ticked next; in the past: as soon as may be. */
  get wakeAt(): number {
    if (this.directory === undefined || this.holding.size > 0) return 0;
    const { wakeAt } = this.directory;
    for (const until of this.idle.values()) return Math.min(wakeAt, until);
    return wakeAt;
  }

  tick(now: number): void {
    this.directory?.tick(monotonicMs(now));
    for (const stream of this.holding) {
      if (stream.heldUntil === undefined || this.hub.get(stream.path) !== stream) this.holding.delete(stream);
      else if (now >= stream.heldUntil) this.end(stream);
    }
    this.endIdle(now);
  }

  private isNeeded(path: string): boolean {
    return (this.hub.get(path)?.watchers.size ?? 0) > 0 || this.pullers.count(path) > 0;
  }

  /** Somebody may have been the last one who needed a stream. */
  private lingers(path: string): void {
    if (!this.pulls.has(path) || this.isNeeded(path)) return;
    this.idle.delete(path);
    this.idle.set(path, this.process.monotonic() + LINGER_MS);
    this.process.stirred();
  }

  private endIdle(now: number): void {
    for (const [path, until] of this.idle) {
      if (now < until) break;
      this.idle.delete(path);
      if (this.isNeeded(path)) continue;
      this.directory?.unwant(path);
      this.stop(path);
    }
  }

  // What relays need.

  after(ms: number, run: () => void): void {
    const { process } = this;
    process.world.after(ms, () => process.hand(run));
  }

  latencyTo(node: string): number {
    return this.process.world.latencyTo(this.process.place, node);
  }

  /** `silent`: nothing comes back from there. */
  look(node: string): NodeStreams | 'down' | 'silent' {
    return this.process.world.look(this.process.place, node);
  }

  open(path: string, epoch: number, wishHops: readonly string[]): RelayAnswer {
    const own = this.directory?.ownEpoch(path);
    const pull = this.pulls.get(path);
    const present = own ?? pull?.epoch ?? 0;
    if (!this.hub.has(path) || present === 0 || present < epoch || wishHops.includes(this.id)) return undefined;
    const hops = [...(own === undefined ? (pull?.hops ?? []) : []), this.id];
    const nodes = this.elsewhere(path, wishHops[0] ?? '');
    if (nodes !== undefined) return { elsewhere: nodes };
    if (hops.some((hop) => wishHops.includes(hop)) || hops.length + wishHops.length > HOPS_MAX) return undefined;
    return { epoch: present, hops };
  }

  private elsewhere(path: string, puller: string): readonly string[] | undefined {
    const { world } = this.process;
    if (world.node(puller)?.region !== this.region) return undefined;
    if (this.pullers.count(path) < world.options.relayChildrenMax) {
      // Not worth a list.
      this.fanOut.forget(path);
      return undefined;
    }
    const children: { node: string; rttMs: number }[] = [];
    for (const { owner } of this.pullers.of(path))
      if (owner.region === this.region)
        children.push({ node: owner.id, rttMs: 2 * world.network.latencyMs(this.process.place, owner.process.place) });
    return this.fanOut.sendOn(path, puller, children);
  }

  pullerCame(pull: RelayPull): void {
    this.pullers.add(pull);
  }

  pullerLeft(pull: RelayPull): void {
    if (this.pullers.delete(pull)) this.lingers(pull.path);
  }

  pullBroken(pull: RelayPull, upstream: Upstream): void {
    if (this.pulls.get(pull.path) === pull) this.directory?.broken(pull.path, upstream);
  }

  pullSentOn(pull: RelayPull, upstream: Upstream, nodes: readonly string[]): void {
    if (this.pulls.get(pull.path) === pull) this.directory?.sentOn(pull.path, upstream, nodes);
  }

  pullRefused(pull: RelayPull, upstream: Upstream): void {
    if (this.pulls.get(pull.path) === pull) this.directory?.refused(pull.path, upstream);
  }

  pathIs(path: string, epoch: number, hops: readonly string[]): void {
    const passed = [...hops, this.id];
    for (const pull of [...this.pullers.of(path)]) {
      const isLoop = passed.includes(pull.owner.id);
      const isThere = (): boolean => pull.source === this || pull.source === undefined;
      if (isLoop) this.pullerLeft(pull);
      const tell = (): void => {
        if (!isThere() || (pull.source === undefined && !isLoop)) return;
        if (isLoop) pull.refused();
        else pull.pathIs(epoch, passed);
      };
      this.process.world.after(this.latencyTo(pull.owner.id), () => pull.owner.process.hand(tell));
    }
  }

  /** The stream's origin and this node's upstream, as far as there are such nodes. */
  whoHas(path: string): readonly (string | undefined)[] {
    return [this.directory?.stream(path)?.holder.node, this.directory?.upstreamOf(path)?.node];
  }

  get sizes(): Readonly<Record<string, number>> {
    return {
      hub: this.hub.size,
      watching: this.watching,
      pulls: this.pulls.size,
      told: this.told.size,
      pullers: this.pullers.size,
      standbys: this.origins.size,
      fanOut: this.fanOut.size,
      ...this.directory?.sizes,
    };
  }

  private policyOf(path: string): SecondPublisher {
    return this.process.world.policyOf(path);
  }

  private addStream(path: string, startedWallMs: number): HubStream {
    const stream = new HubStream(this, path, startedWallMs);
    stream.pull = this.pulls.get(path);
    this.hub.set(path, stream);
    this.process.loadChanged();
    return stream;
  }

  private tell(stream: HubStream): void {
    const { path } = stream;
    this.endPull(path);
    const body = this.bodyOf(stream);
    if (this.directory === undefined) return;
    this.told.set(path, JSON.stringify(body));
    this.directory.publish(path, body);
  }

  private describe(path: string): void {
    const stream = this.hub.get(path);
    if (stream === undefined || stream.isRelayed || !this.told.has(path)) return;
    const body = this.bodyOf(stream);
    const said = JSON.stringify(body);
    if (said === this.told.get(path)) return;
    this.told.set(path, said);
    this.directory?.describe(path, body);
  }

  private bodyOf({ startedWallMs, publication }: HubStream): StreamBody {
    return {
      startedWallMs,
      discontinuity: 0,
      state: publication === undefined ? 'held' : 'live',
      protocol: 'rtmp',
      tracks: [
        { kind: 'video', codec: 'avc1.64001f', width: 1280, height: 720 },
        { kind: 'audio', codec: 'mp4a.40.2' },
      ],
      renditions: [],
    };
  }

  private hold(stream: HubStream): void {
    stream.heldUntil = this.process.monotonic() + HOLD_MS;
    this.holding.add(stream);
    this.process.stirred();
  }

  /** The stream is over in this node's hub: those who watch it or pull it are told. */
  private end(stream: HubStream): void {
    const { path } = stream;
    stream.unsettle();
    this.hub.delete(path);
    this.process.world.service.publishesNoMore(stream);
    stream.isOver = true;
    this.watchedBy(-stream.watchers.size);
    stream.publication?.closed('evicted');
    for (const watcher of stream.watchers) watcher.dropped();
    this.origins.awaitNoMore(path);
    this.fanOut.forget(path);
    for (const pull of [...this.pullers.of(path)]) {
      this.process.world.after(this.latencyTo(pull.owner.id), () =>
        pull.owner.process.hand(() => pull.source === this && pull.owner.ended(pull)),
      );
    }
    if (this.told.delete(path)) this.directory?.unpublish(path);
  }

  /** A pull brings it. */
  relayed(path: string): void {
    const stream = this.hub.get(path) ?? this.addStream(path, 0);
    if (stream.publication !== undefined) return;
    stream.isRelayed = true;
    stream.heldUntil = undefined;
  }

  /** The upstream said that the stream is over. */
  ended(pull: RelayPull): void {
    pull.stop();
    if (this.pulls.get(pull.path) !== pull) return;
    this.endPull(pull.path);
    this.directory?.unwant(pull.path);
    const stream = this.hub.get(pull.path);
    if (stream?.isRelayed === true) this.end(stream);
  }

  private ownState(path: string): OwnStreamState {
    const stream = this.hub.get(path);
    if (stream === undefined || stream.isRelayed) return 'none';
    return stream.publication === undefined || this.process.isDraining ? 'held' : 'live';
  }

  private held(path: string, epoch: number): void {
    this.origins.awaitNoMore(path);
    this.process.world.observer.held(this, path, epoch);
    this.pathIs(path, epoch, []);
  }

  private evict(path: string): void {
    this.told.delete(path);
    this.origins.awaitNoMore(path);
    const stream = this.hub.get(path);
    if (stream === undefined) return;
    const { publication } = stream;
    stream.publication = undefined;
    stream.isRelayed = true;
    this.hold(stream);
    publication?.closed('evicted');
    this.directory?.want(path);
  }

  private pull(path: string, upstream: Upstream): void {
    let pull = this.pulls.get(path);
    if (pull === undefined) {
      pull = new RelayPull(this, path);
      this.pulls.set(path, pull);
      this.lingers(path);
    }
    const stream = this.hub.get(path);
    if (stream !== undefined) stream.pull = pull;
    if (stream?.isRelayed === true) stream.heldUntil = undefined;
    pull.from(upstream);
  }

  private stop(path: string): void {
    this.endPull(path);
    const stream = this.hub.get(path);
    if (stream?.isRelayed === true) this.end(stream);
  }

  private endPull(path: string): void {
    this.pulls.get(path)?.stop();
    this.pulls.delete(path);
    const stream = this.hub.get(path);
    if (stream !== undefined) stream.pull = undefined;
  }
}
