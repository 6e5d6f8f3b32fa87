import { type MonotonicMs, monotonicMs } from '../core/mod.ts';

/** Where a stream is pulled from. */
export interface Upstream {
  readonly node: string;
  /** Of the stream's claim: an upstream that knows only an older one is refused. */
  readonly epoch: number;
}

/** A claim as sourcing looks at it. */
export interface Held {
  readonly node: string;
  readonly epoch: number;
  /** Whether its node is there and is still the run of the process that made the claim. */
  readonly isAlive: boolean;
}

/** What sourcing needs to know; answers at once from local replicas. */
export interface SourcingView {
  /** The stream's claim by its origin; undefined when nobody publishes it as far as this node knows. */
  origin(name: string): Held | undefined;
  /** The claim to be the one node of this region that pulls the stream into it. */
  regionalOrigin(name: string): Held | undefined;
  /** Undefined for nodes that are not known. */
  regionOf(node: string): string | undefined;
  /** Whether it wants to be rid of those who pull from it; this node itself may be asked about. */
  isDraining(node: string): boolean;
}

export interface SourcingOutput {
  /** Pull from here from now on, instead of from wherever it came before. */
  pull(name: string, upstream: Upstream): void;
  /** Nothing is to be pulled any more; `isOver`: nobody publishes the stream, so that its viewers are told. */
  stop(name: string, isOver: boolean): void;
  /** Whether changes of the claims on a stream and its region are to be told from now on. */
  wanted(name: string, isWanted: boolean): void;
  /** Become the stream's regional origin, if nobody is. */
  claimRegion(name: string): void;
  releaseRegion(name: string): void;
}

export interface SourcingOptions {
  readonly node: string;
  readonly region: string;
}

/** A node whose relay broke is not pulled from for so long where there is another way; twice as long each time that it breaks again soon. */
const SUSPECT_MS_MIN = 3_000;
const SUSPECT_MS_MAX = 12_000;
/** A regional origin that has refused for so long is no use to this node. Those that come one after the other within {@link REFUSED_TOGETHER_MS} count as one. */
const REFUSED_MS_MAX = 2_000;
const REFUSED_TOGETHER_MS = 1_000;
/** How soon again a node takes a stream's region from one that others may reach: two that cannot reach each other would do so for ever. */
const TAKE_AGAIN_MS = 10_000;
const TAKE_DOUBLINGS_MAX = 5;
/** How long the region's claim may take before the origin is asked all the same: the store may be away. */
const REGION_CLAIM_MS_MAX = 1_000;
/** A stream whose claim is gone may only have moved; its viewers wait for so long. */
const GONE_MS_MAX = 15_000;
const NEVER: MonotonicMs = monotonicMs(Number.POSITIVE_INFINITY);
/** A claim on the region that was lost to a node that is of no use is made again after so long. */
const RECLAIM_MS = 500;

interface Wanted {
  upstream: Upstream | undefined;
  claimingSince: MonotonicMs | undefined;
  /** When the region is to be claimed once more: the claim was lost, but not to anybody of use. */
  reclaimAt: MonotonicMs | undefined;
  goneSince: MonotonicMs | undefined;
  /** Since when, and when last, its upstream refused. */
  refusedSince: MonotonicMs;
  refusedAt: MonotonicMs;
  /** How often the region was taken from a holder that seemed out of reach, and from when on it may be again. */
  takes: number;
  takeFrom: MonotonicMs;
  /** Whether this node has, or may yet get, the claim on its region. */
  isRegional: boolean;
  /** `root` has enough nodes below it, and sent this one on to `node`; `isLastResort`: which is to be left, or did not answer a moment ago, as all it named. */
  via: { readonly root: string; readonly node: string; readonly isLastResort: boolean } | undefined;
  /** The nodes by which it was decided where it comes from. */
  decidedBy: readonly string[];
}

interface Suspicion {
  readonly until: MonotonicMs;
  readonly ms: number;
}

/**
 * Decides from which node each stream comes that is watched here: from its origin where that is in this region, else from this region's one regional origin,
 * which pulls it from the origin; and from another one as soon as a holder is gone, replaced or out of reach. Holds no media and no connection.
 */
export class StreamSourcing {
  private readonly options: SourcingOptions;
  private readonly view: SourcingView;
  private readonly out: SourcingOutput;
  private readonly wanted = new Map<string, Wanted>();
  /** Names for which something is awaited, and when it is to be looked at again at the latest; others, too. */
  private readonly waiting = new Map<string, MonotonicMs>();
  private readonly suspects = new Map<string, Suspicion>();
  private nextAt: MonotonicMs = NEVER;
  /** The nodes by which it was decided where streams come from, with how many these are. */
  private readonly deciding = new Map<string, number>();
  /** Those of them that have changed since the last tick; `all`: any of them may have. */
  private changedNodes: Set<string> | 'all' = new Set();

  constructor(options: SourcingOptions, view: SourcingView, out: SourcingOutput) {
    this.options = options;
    this.view = view;
    this.out = out;
  }

  /** Whether the stream can be had from another node. */
  canSource(name: string): boolean {
    const origin = this.view.origin(name);
    return origin?.isAlive === true && origin.node !== this.options.node;
  }

  isWanted(name: string): boolean {
    return this.wanted.has(name);
  }

  /** Streams that are wanted here, and the nodes by which it was decided where these come from. */
  get size(): number {
    return this.wanted.size + this.deciding.size;
  }

  /** From where the stream is being pulled, if it is. */
  upstreamOf(name: string): Upstream | undefined {
    return this.wanted.get(name)?.upstream;
  }

  want(name: string, now: MonotonicMs): void {
    if (this.wanted.has(name)) return;
    this.wanted.set(name, {
      upstream: undefined,
      claimingSince: undefined,
      reclaimAt: undefined,
      goneSince: undefined,
      refusedSince: monotonicMs(0),
      refusedAt: monotonicMs(0),
      takes: 0,
      takeFrom: now,
      isRegional: false,
      via: undefined,
      decidedBy: [],
    });
    this.out.wanted(name, true);
    this.decide(name, now);
  }

  /** Nobody watches any more. */
  unwant(name: string): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    this.forget(name);
    this.leaveRegion(name, wanted);
    if (wanted.upstream !== undefined) this.out.stop(name, false);
  }

  /** A claim on the stream changed, or a node. */
  changed(name: string, now: MonotonicMs): void {
    if (this.wanted.has(name)) this.decide(name, now);
  }

  /** This node's claim on its region is lost. */
  regionLost(name: string, now: MonotonicMs): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    wanted.isRegional = false;
    if (wanted.claimingSince !== undefined) wanted.reclaimAt = monotonicMs(now + RECLAIM_MS);
    this.decide(name, now);
  }

  /** Many nodes may change at once: what follows from that is decided with the next tick. Undefined: any of them may have. */
  nodesChanged(node: string | undefined, now: MonotonicMs): void {
    const isAny = node === undefined || node === this.options.node;
    if (isAny ? this.wanted.size === 0 : !this.deciding.has(node)) return;
    if (isAny) this.changedNodes = 'all';
    else if (this.changedNodes !== 'all') this.changedNodes.add(node);
    this.wake(now);
  }

  /** The upstream is out of reach. Whoever pulls keeps trying until it is told otherwise. */
  broken(name: string, upstream: Upstream, now: MonotonicMs): void {
    this.suspect(upstream.node, now);
    this.leaveVia(name, upstream.node);
    this.changed(name, now);
  }

  /** The upstream is there, but does not give the stream: it may not have it itself yet. Whoever pulls keeps trying, too. */
  refused(name: string, upstream: Upstream, now: MonotonicMs): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined || wanted.upstream?.node !== upstream.node) return;
    if (now - wanted.refusedAt > REFUSED_TOGETHER_MS) wanted.refusedSince = now;
    wanted.refusedAt = now;
    if (now - wanted.refusedSince < REFUSED_MS_MAX) return;
    wanted.refusedSince = now;
    if (upstream.node !== this.view.origin(name)?.node) this.suspect(upstream.node, now);
    this.leaveVia(name, upstream.node);
    this.changed(name, now);
  }

  /** The upstream has enough nodes below it, and names others of them that have the stream, the best one first. */
  sentOn(name: string, upstream: Upstream, nodes: readonly string[], now: MonotonicMs): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined || wanted.upstream?.node !== upstream.node) return;
    const root = wanted.via?.root ?? upstream.node;
    const others = nodes.filter((each) => each !== upstream.node && each !== root && this.isNear(each));
    const usable = others.find((each) => this.isUsable(each, now));
    // There is no other way: the upstream would only send this node on again. Where they have died, it has room as soon as it knows.
    const node = usable ?? others.find((each) => !this.isSuspect(each, now)) ?? others[0];
    if (node === undefined) return;
    wanted.via = { root, node, isLastResort: usable === undefined };
    this.decide(name, now);
  }

  /** Whether this node may take the stream's region from a holder that counts as alive: out of reach a moment ago, and not taken from anybody just now. */
  mayTakeRegion(name: string, holder: string, now: MonotonicMs): boolean {
    const wanted = this.wanted.get(name);
    if (wanted === undefined || now < wanted.takeFrom || !this.isSuspect(holder, now)) return false;
    wanted.takeFrom = monotonicMs(now + TAKE_AGAIN_MS * 2 ** Math.min(wanted.takes, TAKE_DOUBLINGS_MAX));
    wanted.takes += 1;
    return true;
  }

  /** Whether a node was found out of reach a moment ago. */
  isSuspect(node: string, now: MonotonicMs): boolean {
    return now < (this.suspects.get(node)?.until ?? 0);
  }

  /** When it is to be ticked next; in the past: as soon as may be. */
  get wakeAt(): MonotonicMs {
    return this.nextAt;
  }

  tick(now: MonotonicMs): void {
    if (now < this.nextAt) return;
    this.nextAt = NEVER;
    for (const [node, { until, ms }] of this.suspects) {
      if (until + ms <= now) this.suspects.delete(node);
      else this.wake(until + ms);
    }
    for (const name of this.ofChangedNodes()) this.decide(name, now);
    for (const name of this.due(now)) this.decide(name, now);
  }

  /** Those for which something was awaited until now. */
  private due(now: MonotonicMs): readonly string[] {
    const due: string[] = [];
    for (const [name, at] of this.waiting) {
      if (at <= now) due.push(name);
      else this.wake(at);
    }
    for (const name of due) this.waiting.delete(name);
    return due;
  }

  /** Streams that come from where they do because of nodes that have changed. */
  private ofChangedNodes(): readonly string[] {
    const { changedNodes, wanted } = this;
    if (changedNodes === 'all') {
      this.changedNodes = new Set();
      return [...wanted.keys()];
    }
    if (changedNodes.size === 0) return [];
    const names: string[] = [];
    for (const [name, { decidedBy }] of wanted) if (decidedBy.some((node) => changedNodes.has(node))) names.push(name);
    changedNodes.clear();
    return names;
  }

  private wake(at: number): void {
    if (at < this.nextAt) this.nextAt = monotonicMs(at);
  }

  private awaits(name: string, at: number): void {
    const known = this.waiting.get(name) ?? NEVER;
    if (at < known) this.waiting.set(name, monotonicMs(at));
    this.wake(at);
  }

  /** A last resort that is none, either: its root is asked again. */
  private leaveVia(name: string, node: string): void {
    const wanted = this.wanted.get(name);
    if (wanted?.via?.node === node) wanted.via = undefined;
  }

  private suspect(node: string, now: MonotonicMs): void {
    const known = this.suspects.get(node);
    if (known !== undefined && now < known.until) return;
    const ms = known === undefined ? SUSPECT_MS_MIN : Math.min(known.ms * 2, SUSPECT_MS_MAX);
    this.suspects.set(node, { until: monotonicMs(now + ms), ms });
    this.wake(now + 2 * ms);
  }

  private decide(name: string, now: MonotonicMs): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    const origin = this.view.origin(name);
    if (origin === undefined) this.gone(name, wanted, now);
    else if (origin.node === this.options.node) this.unwant(name);
    else this.source(name, wanted, origin, now);
    if (this.wanted.get(name) === wanted) this.decided(wanted, [origin?.node, this.view.regionalOrigin(name)?.node, wanted.via?.node]);
  }

  private decided(wanted: Wanted, by: readonly (string | undefined)[]): void {
    const { deciding } = this;
    const before = wanted.decidedBy;
    wanted.decidedBy = by.filter((node) => node !== undefined);
    for (const node of wanted.decidedBy) deciding.set(node, (deciding.get(node) ?? 0) + 1);
    for (const node of before) {
      const left = (deciding.get(node) ?? 0) - 1;
      if (left > 0) deciding.set(node, left);
      else deciding.delete(node);
    }
  }

  private forget(name: string): void {
    const wanted = this.wanted.get(name);
    if (wanted !== undefined) this.decided(wanted, []);
    this.wanted.delete(name);
    this.waiting.delete(name);
    this.out.wanted(name, false);
  }

  private source(name: string, wanted: Wanted, origin: Held, now: MonotonicMs): void {
    wanted.goneSince = undefined;
    const isNear = (this.view.regionOf(origin.node) ?? this.options.region) === this.options.region;
    const node = isNear ? origin.node : this.acrossRegions(name, wanted, origin, now);
    if (isNear) this.leaveRegion(name, wanted);
    if (node !== undefined) this.pull(name, wanted, { node: this.throughTree(wanted, node, now), epoch: origin.epoch });
  }

  /** The node that its root sent this one on to, for as long as that is the root and the node is of use; then the root is asked again. */
  private throughTree(wanted: Wanted, root: string, now: MonotonicMs): string {
    const { via } = wanted;
    if (via?.root === root && (via.isLastResort ? this.isNear(via.node) : this.isUsable(via.node, now))) return via.node;
    wanted.via = undefined;
    return root;
  }

  private isUsable(node: string, now: MonotonicMs): boolean {
    return this.isNear(node) && !this.view.isDraining(node) && !this.isSuspect(node, now);
  }

  /** Whether it is another node of this region. */
  private isNear(node: string): boolean {
    return node !== this.options.node && this.view.regionOf(node) === this.options.region;
  }

  /** From whom to pull what comes from another region; undefined while that is being settled. */
  private acrossRegions(name: string, wanted: Wanted, origin: Held, now: MonotonicMs): string | undefined {
    const regional = this.view.regionalOrigin(name);
    if (this.view.isDraining(this.options.node)) return this.whileDraining(name, wanted, origin, regional, now);
    if (regional?.node === this.options.node && regional.isAlive) {
      wanted.isRegional = true;
      wanted.claimingSince = undefined;
      return origin.node;
    }
    if (regional?.isAlive === true && !this.isSuspect(regional.node, now) && !this.view.isDraining(regional.node)) {
      // A claim of this node may still be under way, and win once the other one is gone.
      wanted.claimingSince = undefined;
      wanted.reclaimAt = undefined;
      return regional.node;
    }
    if (wanted.claimingSince === undefined || (wanted.reclaimAt !== undefined && now >= wanted.reclaimAt)) {
      wanted.claimingSince ??= now;
      wanted.reclaimAt = undefined;
      wanted.isRegional = true;
      this.out.claimRegion(name);
    }
    const answerBy = wanted.claimingSince + REGION_CLAIM_MS_MAX;
    if (now < answerBy) this.awaits(name, answerBy);
    if (wanted.reclaimAt !== undefined) this.awaits(name, wanted.reclaimAt);
    if (regional !== undefined && this.isSuspect(regional.node, now)) this.awaits(name, this.suspects.get(regional.node)?.until ?? NEVER);
    return now >= answerBy ? origin.node : undefined;
  }

  /** Gives its claim on the region up to whoever else is there, and goes on for its own viewers. */
  private whileDraining(name: string, wanted: Wanted, origin: Held, regional: Held | undefined, now: MonotonicMs): string {
    this.leaveRegion(name, wanted);
    const isOther = regional?.isAlive === true && regional.node !== this.options.node && !this.view.isDraining(regional.node);
    return isOther && !this.isSuspect(regional.node, now) ? regional.node : origin.node;
  }

  private pull(name: string, wanted: Wanted, upstream: Upstream): void {
    const { upstream: present } = wanted;
    if (present !== undefined && present.node === upstream.node && present.epoch === upstream.epoch) return;
    wanted.upstream = upstream;
    this.out.pull(name, upstream);
  }

  private gone(name: string, wanted: Wanted, now: MonotonicMs): void {
    wanted.goneSince ??= now;
    const over = wanted.goneSince + GONE_MS_MAX;
    if (now < over) {
      this.awaits(name, over);
      return;
    }
    this.forget(name);
    this.leaveRegion(name, wanted);
    this.out.stop(name, true);
  }

  private leaveRegion(name: string, wanted: Wanted): void {
    wanted.claimingSince = undefined;
    wanted.reclaimAt = undefined;
    if (!wanted.isRegional) return;
    wanted.isRegional = false;
    this.out.releaseRegion(name);
  }
}
