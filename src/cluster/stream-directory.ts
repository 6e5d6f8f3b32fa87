import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { Bus } from './bus.ts';
import type { ReplaceVerdict } from './claim.ts';
import type { Holder } from './claim-record.ts';
import { ClaimRegistry } from './claim-registry.ts';
import type { Claimed, ClaimSharing } from './claim-replica.ts';
import { type OriginAnswer, type OriginHead, type OwnStreamState, Standbys } from './standbys.ts';
import type { Store } from './store.ts';
import { type RegionalBody, readRegionalBody, readStreamBody, regionPrefix, STREAMS_PREFIX, type StreamBody } from './stream-record.ts';
import { type Held, StreamSourcing, type Upstream } from './stream-sourcing.ts';
import { decodeVersioned, encodeVersioned, readText } from './versioned-json.ts';

/** What the directory needs to know of nodes. */
export interface DirectoryNodes {
  /** Whether what this run of a node's process has claimed holds. */
  isAlive(node: string, incarnation: number): boolean;
  regionOf(node: string): string | undefined;
  /** Whether a node takes nothing new, and is to be left. */
  isDraining(node: string): boolean;
  /** Whether there is no connection to an origin for whose place a publisher waits here; {@link StreamDirectory.disconnected} says when it broke. */
  isDisconnected(node: string): boolean;
  /** Whether nodes can be judged now: their records are known, and this node is not cut off. */
  readonly isJudging: boolean;
  /** Whether this is the node of its region that takes out of the store what dead nodes have left there. */
  readonly isSweeper: boolean;
}

export interface StreamDirectoryOutput {
  /** Pull a stream from another node from now on, instead of from wherever it came before. */
  pull(name: string, upstream: Upstream): void;
  /** Nothing is to be pulled any more; `isOver`: nobody publishes the stream any more. */
  stop(name: string, isOver: boolean): void;
  /** This node's claim to be the stream's origin holds, with this epoch. `headMs`: how far the origin may have come for whose place a publisher waited here. */
  held(name: string, epoch: number, headMs: number | undefined): void;
  /** The stream's origin is another node: a publisher here has to go. */
  evict(name: string, to: string | undefined): void;
  /** The stream's origin is another node: the publisher here waits to take its place. */
  standBy(name: string, origin: string): void;
  /** What is known of a stream changed; undefined: nobody publishes it any more. Of all streams, or of some: see {@link StreamDirectoryOptions.tells}. */
  changed(name: string, stream: Claimed<StreamBody> | undefined): void;
}

export interface StreamDirectoryOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly own: Holder;
  readonly region: string;
  readonly nodes: DirectoryNodes;
  readonly now: () => MonotonicMs;
  readonly ownState: (name: string) => OwnStreamState;
  /** How far a stream of this node's hub has come on its timeline, in ms. */
  readonly headMs?: (name: string) => number | undefined;
  /** What happens to a stream that is live on another node when somebody publishes it here. */
  readonly secondPublisher: (name: string) => SecondPublisher;
  /** Of which streams changes are told: of `all` (the default), or of those alone that are wanted or published here. */
  readonly tells?: 'all' | 'concerned';
  /** For many nodes in one process. */
  readonly share?: ClaimSharing;
}

/** `standby`: its publisher is kept, and takes over as soon as the first one is gone. */
export type SecondPublisher = 'reject' | 'takeover' | 'standby';

/** How long another node may take to say whether it has a publisher; one that is frozen for longer loses its stream to one that is not. */
const ASK_MS = 1_000;
/** The same for one that has taken the stream from this node, and counts as alive: whoever waits loses nothing by it, and a slow link must not keep it from giving way. */
const ASK_TAKER_MS = 3_000;
/** How long what was found out of a holder holds: the store may be out of reach when it is to be used. */
const GIVEN_MS = 2_000;
/** No stream lasts a hundred years. */
const HEAD_MS_MAX = 100 * 366 * 86_400_000;
const HOLDS = 'holds';
/** How often what dead nodes have left is looked for, when nodes have changed, or the store was away; */
const SWEEP_MS = 5_000;
/** and when not: a node may still claim something when it counts as dead already. */
const IDLE_SWEEP_MS = 60_000;

/** Who publishes what, where: the streams of all nodes and this node's part in them. Answers from its replica at once; never waits for the store. */
export class StreamDirectory {
  private readonly options: StreamDirectoryOptions;
  private readonly out: StreamDirectoryOutput;
  private readonly streams: ClaimRegistry<StreamBody>;
  private readonly regionals: ClaimRegistry<RegionalBody>;
  private readonly sourcing: StreamSourcing;
  /** What this node's publishers have, whether it is the origin or not. */
  private readonly bodies = new Map<string, StreamBody>();
  /** Holders of streams that were asked a moment ago and do not have them any more. */
  private readonly given = new Map<string, { readonly node: string; readonly until: number }>();
  /** Holders of streams that counted as alive when they were asked, and have not answered yet. */
  private readonly asked = new Map<string, { readonly holder: Holder; readonly replace: () => void }>();
  private readonly standbys: Standbys;
  /** Of the origins whose place is being taken. */
  private readonly heads = new Map<string, number>();
  private sweepAt = 0;
  private readonly endings: (() => void)[] = [];

  constructor(options: StreamDirectoryOptions, out: StreamDirectoryOutput) {
    const { store, own, region, nodes, now, tells = 'all', share } = options;
    const sharing = share === undefined ? {} : { share };
    this.options = options;
    this.out = out;
    this.streams = new ClaimRegistry<StreamBody>(
      {
        store,
        ...sharing,
        followsAll: tells === 'all',
        prefix: STREAMS_PREFIX,
        own,
        now,
        readBody: readStreamBody,
        mayReplace: (name, holder, wasOurs, done) => this.mayReplaceOrigin(name, holder, wasOurs, done),
        isGone: (holder) => this.isGone(holder),
      },
      {
        changed: (name, claimed) => {
          if (this.sourcing.isWanted(name)) this.sourcing.changed(name, now());
          this.standbys.changed(name);
          this.out.changed(name, claimed);
        },
        held: (name, epoch) => {
          this.given.delete(name);
          const head = this.heads.get(name);
          this.heads.delete(name);
          this.out.held(name, epoch, head === undefined ? undefined : head + now());
        },
        lost: (name, to) => this.lostOrigin(name, to),
        current: () => this.sweepSoon(),
      },
    );
    this.regionals = new ClaimRegistry<RegionalBody>(
      {
        store,
        ...sharing,
        followsAll: false,
        prefix: regionPrefix(region),
        own,
        now,
        readBody: readRegionalBody,
        mayReplace: (name, holder, _wasOurs, done) => done(this.mayReplaceRegional(name, holder)),
        isGone: (holder) => this.isGone(holder),
      },
      {
        changed: (name) => {
          if (this.sourcing.isWanted(name)) this.sourcing.changed(name, now());
        },
        held: (name) => this.sourcing.changed(name, now()),
        lost: (name) => this.sourcing.regionLost(name, now()),
        current: () => this.sweepSoon(),
      },
    );
    this.standbys = new Standbys({
      now,
      isLive: (name) => options.ownState(name) === 'live',
      origin: (name) => this.heldBy(this.streams.get(name)),
      isDisconnected: (node) => nodes.isDisconnected(node),
      ask: (name, node, done) => this.ask(name, node, ASK_MS, done),
      takePlace: (name, from, head) => this.takePlace(name, from, head),
    });
    this.sourcing = new StreamSourcing(
      { node: own.node, region },
      {
        origin: (name) => this.heldBy(this.streams.get(name)),
        regionalOrigin: (name) => this.heldBy(this.regionals.get(name)),
        regionOf: (node) => nodes.regionOf(node),
        isDraining: (node) => nodes.isDraining(node),
      },
      {
        pull: (name, upstream) => this.out.pull(name, upstream),
        stop: (name, isOver) => this.out.stop(name, isOver),
        wanted: (name, isWanted) => {
          for (const claims of [this.streams, this.regionals]) {
            if (isWanted) claims.follow(name);
            else claims.unfollow(name);
          }
        },
        claimRegion: (name) => this.regionals.claim(name, {}),
        releaseRegion: (name) => this.regionals.release(name),
      },
    );
  }

  start(): void {
    const { bus, own } = this.options;
    this.streams.start();
    this.regionals.start();
    this.endings.push(bus.serve(`${HOLDS}/${own.node}`, (message, reply) => this.tellWhatIsHeld(message, reply)));
  }

  /** Follows the store no more; what this node has claimed stays claimed until it counts as stale. */
  close(): void {
    this.streams.stop();
    this.regionals.stop();
    for (const end of this.endings.splice(0)) end();
  }

  /** Streams of the cluster. */
  get count(): number {
    return this.streams.count;
  }

  stream(name: string): Claimed<StreamBody> | undefined {
    return this.streams.get(name);
  }

  /** All streams of the cluster, in no order. */
  all(): Iterable<Claimed<StreamBody>> {
    return this.streams.all();
  }

  /** How much it keeps. */
  get sizes(): Readonly<Record<string, number>> {
    const { streams, regionals, sourcing, bodies, given, asked, standbys, heads } = this;
    return {
      streams: streams.size,
      regionals: regionals.size,
      wanted: sourcing.size,
      bodies: bodies.size,
      given: given.size,
      asked: asked.size,
      standbys: standbys.size,
      heads: heads.size,
    };
  }

  /** The epoch of a stream whose origin this node is. */
  ownEpoch(name: string): number | undefined {
    return this.streams.heldEpoch(name);
  }

  /** Somebody publishes here. The claim follows; {@link StreamDirectoryOutput.evict} if another node's is the better one. */
  publish(name: string, body: StreamBody): void {
    this.sourcing.unwant(name);
    if (!this.bodies.has(name)) this.streams.follow(name);
    this.bodies.set(name, body);
    if (!this.standbys.has(name)) this.streams.claim(name, body);
  }

  /** What is published here looks different now. */
  describe(name: string, body: StreamBody): void {
    if (this.bodies.has(name)) this.bodies.set(name, body);
    this.streams.describe(name, body);
  }

  /** Nobody publishes it here any more. */
  unpublish(name: string): void {
    this.forgetBody(name);
    this.standbys.delete(name);
    this.heads.delete(name);
    this.given.delete(name);
    this.streams.release(name);
  }

  /** Whether another node has the stream, so that it can be pulled. */
  canSource(name: string): boolean {
    return !this.bodies.has(name) && this.sourcing.canSource(name);
  }

  /** Somebody wants to watch here what another node has. */
  want(name: string): void {
    this.sourcing.want(name, this.options.now());
  }

  unwant(name: string): void {
    this.sourcing.unwant(name);
  }

  /** From where the stream is being pulled. */
  upstreamOf(name: string): Upstream | undefined {
    return this.sourcing.upstreamOf(name);
  }

  /** Whether this node is the one that pulls the stream into its region. */
  isRegionalOrigin(name: string): boolean {
    return this.regionals.heldEpoch(name) !== undefined;
  }

  /** The upstream is out of reach. */
  broken(name: string, upstream: Upstream): void {
    this.sourcing.broken(name, upstream, this.options.now());
  }

  /** The upstream does not give the stream. */
  refused(name: string, upstream: Upstream): void {
    this.sourcing.refused(name, upstream, this.options.now());
  }

  /** The upstream has enough nodes below it, and names others that have the stream. */
  sentOn(name: string, upstream: Upstream, nodes: readonly string[]): void {
    this.sourcing.sentOn(name, upstream, nodes, this.options.now());
  }

  /** The connection to a node broke: if that is the origin for whose place a publisher waits here, it may be dead. */
  disconnected(node: string): void {
    this.standbys.disconnected(node);
  }

  /** A node came, went, or counts as stale; undefined: any of them may have. */
  nodesChanged(node?: string): void {
    this.sweepSoon();
    this.replaceGone(node);
    this.sourcing.nodesChanged(node, this.options.now());
  }

  /** Of a node that counts as dead by now no answer is waited for. */
  private replaceGone(node: string | undefined): void {
    if (this.asked.size === 0 || !this.options.nodes.isJudging) return;
    for (const [name, { holder, replace }] of this.asked) {
      if ((node !== undefined && holder.node !== node) || !this.isGone(holder)) continue;
      this.asked.delete(name);
      replace();
    }
  }

  /** Who becomes the one that sweeps is told then which node has changed. */
  private sweepSoon(): void {
    if (this.options.nodes.isSweeper) this.sweepAt = Math.min(this.sweepAt, this.options.now() + SWEEP_MS);
  }

  /** When it is to be ticked next, as things stand; in the past: as soon as may be. */
  get wakeAt(): MonotonicMs {
    if (this.standbys.size > 0) return this.options.now();
    return monotonicMs(Math.min(this.streams.wakeAt, this.regionals.wakeAt, this.sourcing.wakeAt, this.sweepAt));
  }

  tick(now: MonotonicMs): void {
    this.streams.tick(now);
    this.regionals.tick(now);
    this.sourcing.tick(now);
    this.sweep(now);
    this.standbys.tick(now);
  }

  private sweep(now: MonotonicMs): void {
    if (now < this.sweepAt) return;
    const { nodes } = this.options;
    this.sweepAt = nodes.isSweeper ? now + SWEEP_MS : Number.POSITIVE_INFINITY;
    if (!nodes.isSweeper || !nodes.isJudging) return;
    const orphans = this.streams.sweep(now) + this.regionals.sweep(now);
    if (orphans === 0) this.sweepAt = now + IDLE_SWEEP_MS;
  }

  private lostOrigin(name: string, to: Holder | undefined): void {
    this.given.delete(name);
    this.heads.delete(name);
    // Without a publisher of its own it would only take the stream back from whoever is without one, too.
    const canStandBy = this.bodies.has(name) && this.options.ownState(name) === 'live' && this.options.secondPublisher(name) === 'standby';
    if (to === undefined || !canStandBy) {
      this.forgetBody(name);
      this.out.evict(name, to?.node);
      return;
    }
    this.standbys.add(name, to.node);
    this.out.standBy(name, to.node);
  }

  private forgetBody(name: string): void {
    if (this.bodies.delete(name)) this.streams.unfollow(name);
  }

  private takePlace(name: string, from: string | undefined, head: OriginHead): void {
    const body = this.bodies.get(name);
    if (body === undefined) return;
    if (head !== undefined) this.heads.set(name, head);
    if (from !== undefined) this.given.set(name, { node: from, until: this.options.now() + GIVEN_MS });
    this.streams.claim(name, body);
  }

  private heldBy<Body>(claimed: Claimed<Body> | undefined): Held | undefined {
    if (claimed === undefined) return undefined;
    const { node, incarnation } = claimed.holder;
    const isOwn = node === this.options.own.node;
    const isAlive = isOwn ? incarnation === this.options.own.incarnation : this.options.nodes.isAlive(node, incarnation);
    return { node, epoch: claimed.epoch, isAlive };
  }

  private isGone({ node, incarnation }: Holder): boolean {
    const { own, nodes } = this.options;
    return node === own.node ? incarnation !== own.incarnation : !nodes.isAlive(node, incarnation);
  }

  private mayReplaceRegional(name: string, holder: Holder): ReplaceVerdict {
    const { nodes, own, now } = this.options;
    // A former run of this very node.
    if (holder.node === own.node || nodes.isDraining(holder.node) || this.sourcing.mayTakeRegion(name, holder.node, now())) return 'yes';
    if (!nodes.isJudging) return 'unknown';
    return nodes.isAlive(holder.node, holder.incarnation) ? 'no' : 'yes';
  }

  /** A holder that counts as alive is asked: it may have died a moment ago, or be without its publisher, who comes back here. */
  private mayReplaceOrigin(name: string, holder: Holder, wasOurs: boolean, done: (verdict: ReplaceVerdict) => void): void {
    const { node } = holder;
    const { nodes, own, secondPublisher } = this.options;
    if (node !== own.node && !nodes.isJudging) {
      done('unknown');
      return;
    }
    const given = this.given.get(name);
    this.given.delete(name);
    const isGiven = given?.node === node && this.options.now() < given.until;
    if (isGiven || node === own.node) {
      done('yes');
      return;
    }
    const isGone = this.isGone(holder);
    // Whoever was taken over gives way: two that take a stream from each other for ever serve nobody.
    if (!wasOurs && (isGone || secondPublisher(name) === 'takeover')) {
      done('yes');
      return;
    }
    const question = { holder, replace: () => done('yes') };
    if (!isGone) this.asked.set(name, question);
    this.ask(name, node, wasOurs && !isGone ? ASK_TAKER_MS : ASK_MS, (answer) => {
      if (this.asked.get(name) === question) this.asked.delete(name);
      if (answer === 'unavailable') done('unknown');
      else if (answer === 'timeout' && !isGone) done(this.ofSilent(name, wasOurs));
      // Two that wait for their publishers to come back would take the stream from each other for as long as they do.
      else if (answer === 'held' && wasOurs && this.options.ownState(name) !== 'live') done('no');
      else done(answer === 'live' ? 'no' : 'yes');
    });
  }

  /** What one that does not answer in time has to put up with: who may stand by finds out whether it is dead, and who was taken over waits until it counts as that. */
  private ofSilent(name: string, wasOurs: boolean): ReplaceVerdict {
    if (this.options.secondPublisher(name) === 'standby') return 'no';
    return wasOurs ? 'unknown' : 'yes';
  }

  /** What a node has of a stream, or why that is not known. */
  private ask(name: string, node: string, timeoutMs: number, done: (answer: OriginAnswer, headMs?: number) => void): void {
    this.options.bus.request(`${HOLDS}/${node}`, encodeVersioned({ v: 1, name }), timeoutMs, (reply) => {
      if (!reply.ok) {
        done(reply.failure);
        return;
      }
      const { state, headMs } = decodeVersioned(reply.value) ?? {};
      done(state === 'live' || state === 'held' ? state : 'none', readHead(headMs));
    });
  }

  private tellWhatIsHeld(message: Uint8Array, reply: (answer: Uint8Array) => void): void {
    const name = readText(decodeVersioned(message)?.['name'], 256);
    const state: OwnStreamState = name === undefined ? 'none' : this.options.ownState(name);
    const headMs = name === undefined ? undefined : this.options.headMs?.(name);
    reply(encodeVersioned({ v: 1, state, ...(headMs === undefined ? {} : { headMs: Math.ceil(headMs) }) }));
  }
}

const readHead = (headMs: unknown): number | undefined =>
  typeof headMs === 'number' && headMs >= 0 && headMs <= HEAD_MS_MAX ? headMs : undefined;
