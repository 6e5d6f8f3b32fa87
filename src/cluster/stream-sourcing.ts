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
  /** Become the stream's regional origin, if nobody is. */
  claimRegion(name: string): void;
  releaseRegion(name: string): void;
}

export interface SourcingOptions {
  readonly node: string;
  readonly region: string;
}

/** A node whose relay broke is not pulled from for so long where there is another way. */
const SUSPECT_MS = 3_000;
/** How long the region's claim may take before the origin is asked all the same: the store may be away. */
const REGION_CLAIM_MS_MAX = 1_000;
/** A stream whose claim is gone may only have moved; its viewers wait for so long. */
const GONE_MS_MAX = 15_000;

interface Wanted {
  upstream: Upstream | undefined;
  claimingSince: MonotonicMs | undefined;
  goneSince: MonotonicMs | undefined;
  isRegional: boolean;
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
  private readonly suspects = new Map<string, MonotonicMs>();

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

  /** From where the stream is being pulled, if it is. */
  upstreamOf(name: string): Upstream | undefined {
    return this.wanted.get(name)?.upstream;
  }

  want(name: string, now: MonotonicMs): void {
    if (this.wanted.has(name)) return;
    this.wanted.set(name, { upstream: undefined, claimingSince: undefined, goneSince: undefined, isRegional: false });
    this.decide(name, now);
  }

  /** Nobody watches any more. */
  unwant(name: string): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    this.wanted.delete(name);
    this.leaveRegion(name, wanted);
    if (wanted.upstream !== undefined) this.out.stop(name, false);
  }

  /** A claim on the stream changed, or a node. */
  changed(name: string, now: MonotonicMs): void {
    if (this.wanted.has(name)) this.decide(name, now);
  }

  nodesChanged(now: MonotonicMs): void {
    for (const name of this.wanted.keys()) this.decide(name, now);
  }

  /** The upstream is out of reach, or does not have the stream. Whoever pulls keeps trying until it is told otherwise. */
  broken(name: string, upstream: Upstream, now: MonotonicMs): void {
    this.suspects.set(upstream.node, monotonicMs(now + SUSPECT_MS));
    this.changed(name, now);
  }

  /** Whether a node was found out of reach a moment ago: its claims may be taken. */
  isSuspect(node: string, now: MonotonicMs): boolean {
    return now < (this.suspects.get(node) ?? 0);
  }

  tick(now: MonotonicMs): void {
    for (const [node, until] of this.suspects) if (until <= now) this.suspects.delete(node);
    for (const [name, { claimingSince, goneSince }] of this.wanted) {
      if (claimingSince !== undefined || goneSince !== undefined) this.decide(name, now);
    }
  }

  private decide(name: string, now: MonotonicMs): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    const origin = this.view.origin(name);
    if (origin === undefined) this.gone(name, wanted, now);
    else if (origin.node === this.options.node) this.unwant(name);
    else this.source(name, wanted, origin, now);
  }

  private source(name: string, wanted: Wanted, origin: Held, now: MonotonicMs): void {
    wanted.goneSince = undefined;
    const isNear = (this.view.regionOf(origin.node) ?? this.options.region) === this.options.region;
    const node = isNear ? origin.node : this.acrossRegions(name, wanted, origin, now);
    if (isNear) this.leaveRegion(name, wanted);
    if (node !== undefined) this.pull(name, wanted, { node, epoch: origin.epoch });
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
      wanted.isRegional = false;
      wanted.claimingSince = undefined;
      return regional.node;
    }
    if (wanted.claimingSince === undefined) {
      wanted.claimingSince = now;
      wanted.isRegional = true;
      this.out.claimRegion(name);
    }
    return now - wanted.claimingSince >= REGION_CLAIM_MS_MAX ? origin.node : undefined;
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
    if (now - wanted.goneSince < GONE_MS_MAX) return;
    this.wanted.delete(name);
    this.leaveRegion(name, wanted);
    this.out.stop(name, true);
  }

  private leaveRegion(name: string, wanted: Wanted): void {
    wanted.claimingSince = undefined;
    if (!wanted.isRegional) return;
    wanted.isRegional = false;
    this.out.releaseRegion(name);
  }
}
