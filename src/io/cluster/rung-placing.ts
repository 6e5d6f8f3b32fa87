import type pino from 'pino';
import { type Holder, type NodeView, type PlacementDecision, placeRung, type RungOrder } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import type { Hub, LiveStream, RenditionOffer } from '../../hub/mod.ts';
import type { Clock } from '../clock.ts';
import type { RelayClient, RelayUpstream } from '../relay/mod.ts';
import type { MadeHere, PlacedRung, PlacedRungOutput } from '../transcode/mod.ts';
import { PulledRung } from './pulled-rung.ts';

/** Nodes as placing looks at them. */
export interface MakerNodes {
  nodes(): Iterable<NodeView>;
  node(id: string): NodeView | undefined;
  isAlive(id: string, incarnation: number): boolean;
}

export interface RungPlacingOptions {
  readonly nodeId: string;
  readonly region: string;
  /** Whether this node makes all rungs of its streams itself. */
  readonly makesItself: boolean;
  readonly nodes: MakerNodes;
  readonly hub: Hub;
  readonly client: RelayClient;
  readonly addressOf: (node: string) => RelayUpstream | undefined;
  /** Of this node's claim on a stream; 0 before it holds. */
  readonly epochOf: (path: string) => number;
  /** A stream's rungs have other makers: the other nodes are to be told. */
  readonly makersChanged: (path: string) => void;
  /** What was decided for the whole cluster, where somebody does. */
  readonly orders: PlacementOrders;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

export interface PlacementOrders {
  readonly isLed: boolean;
  orderOf(path: string, rung: string): RungOrder | undefined;
}

interface Failure {
  readonly reason: string;
  /** How often it refused what it was told to make; 0: it failed otherwise. */
  readonly refusals: number;
  readonly until: MonotonicMs;
}

/** A node that failed at one of a stream's rungs is not asked again for that stream for so long. */
const FAILED_MS = 10_000;
/** One that was told to make it and refused may not have heard of it yet. */
const REFUSED_ORDER_MS = 500;
const REFUSALS_MAX = 4;
/** A rung waits for a decision as long as a maker may take to begin, so often. */
const WAITS_MAX = 3;
/** All nodes are in use, and it is about to be decided whose place the rung takes. */
const NOBODY: Holder = { node: '', incarnation: 0 };

/**
 * Has the rungs of this node's streams made by nodes for that. A rung is placed when somebody first wants it, and stays where it was placed, also while nobody
 * does, until that node is gone, drains or refuses: other nodes pull it straight from there without this one in between.
 */
export class RungPlacing {
  private readonly options: RungPlacingOptions;
  private readonly makers = new Map<string, Map<string, Holder>>();
  private readonly failures = new Map<string, Map<string, Failure>>();
  private readonly pulled = new Map<PulledRung, PlacedRungOutput>();
  /** How often rungs have waited in vain. */
  private readonly waits = new WeakMap<PulledRung, number>();

  constructor(options: RungPlacingOptions) {
    this.options = options;
  }

  place({ ref }: LiveStream, offer: RenditionOffer, out: PlacedRungOutput): PlacedRung | MadeHere {
    const { makesItself, hub, client, addressOf, epochOf, clock } = this.options;
    if (makesItself) return { because: undefined };
    const { maker, because } = this.choose(ref.path, offer.name);
    if (maker === undefined) return { because };
    const options = { hub, client, ref, offer, addressOf, epoch: () => epochOf(ref.path), now: () => clock.monotonic() };
    const rung: PulledRung = new PulledRung(options, maker, {
      watched: (isWatched) => out.watched(isWatched),
      failed: (reason, isRefusal) => this.move(rung, reason, isRefusal),
      over: () => this.pulled.delete(rung),
    });
    if (!rung.begin()) return { because: undefined };
    this.pulled.set(rung, out);
    this.name(rung);
    return rung;
  }

  /** Who makes a stream's rungs, for its record. */
  makersOf(path: string): Readonly<Record<string, Holder>> | undefined {
    const makers = this.makers.get(path);
    return makers === undefined || makers.size === 0 ? undefined : Object.fromEntries(makers);
  }

  /** A node came, went, or stands otherwise: rungs leave those that are gone or are to be left. */
  nodesChanged(): void {
    for (const rung of [...this.pulled.keys()]) {
      if (rung.maker !== NOBODY && !this.isUsable(rung.maker)) this.move(rung, `node ${rung.node} is gone, or is to be left`);
    }
    for (const [path, makers] of this.makers) {
      const lost = [...makers].filter(([, maker]) => !this.isUsable(maker));
      for (const [rung] of lost) makers.delete(rung);
      if (lost.length > 0) this.options.makersChanged(path);
    }
  }

  /** Something else was decided: rungs go where they are to be made, at once. */
  ordersChanged(): void {
    for (const rung of [...this.pulled.keys()]) this.follow(rung);
    const pulled = new Set(Array.from(this.pulled.keys(), ({ ref, rung }) => `${ref.path}\n${rung}`));
    for (const [path, makers] of this.makers) {
      const before = new Map(makers);
      for (const [rung, maker] of before) {
        const ordered = this.orderedMaker(path, rung);
        if (ordered === 'none') makers.delete(rung);
        else if (ordered !== undefined && ordered.node !== maker.node && !pulled.has(`${path}\n${rung}`)) makers.set(rung, ordered);
      }
      if ([...before].some(([rung, maker]) => makers.get(rung) !== maker)) this.options.makersChanged(path);
    }
  }

  /** Whether another node is to make a rung, which has not failed at this stream before. */
  isForAnother(path: string, rung: string): boolean {
    const ordered = this.orderedMaker(path, rung);
    return ordered !== undefined && ordered !== 'none' && this.failures.get(path)?.has(ordered.node) !== true;
  }

  /** The stream is not published here any more. */
  ended(path: string): void {
    this.makers.delete(path);
    this.failures.delete(path);
  }

  tick(now: MonotonicMs): void {
    for (const rung of [...this.pulled.keys()]) {
      if (rung.maker === NOBODY) this.follow(rung);
      rung.tick(now);
    }
  }

  /** This node is in the cluster no more: it makes its rungs itself. */
  close(): void {
    for (const [rung, out] of [...this.pulled]) {
      rung.stop();
      out.lost('this node is in no cluster');
    }
  }

  private follow(rung: PulledRung): void {
    const ordered = this.orderedMaker(rung.ref.path, rung.rung);
    if (ordered === undefined || ordered === 'none' || ordered.node === rung.node) return;
    const { log } = this.options;
    const fields = { code: 'cluster.rung-ordered', stream: rung.ref.path, rung: rung.rung, from: rung.node, to: ordered.node };
    log.info(fields, 'another node is to make the rung');
    this.waits.delete(rung);
    rung.moveTo(ordered);
    this.name(rung);
  }

  /** Who is to make a rung by what was decided, and can; `none`: nobody is. */
  private orderedMaker(path: string, rung: string): Holder | 'none' | undefined {
    const order = this.options.orders.orderOf(path, rung);
    if (order === undefined) return undefined;
    if (order.node === undefined) return order.reason === 'no-node' ? undefined : 'none';
    const view = this.options.nodes.node(order.node);
    const maker = view === undefined ? undefined : { node: order.node, incarnation: view.incarnation };
    return maker !== undefined && this.isUsable(maker) && !this.failuresOf(path).has(order.node) ? maker : undefined;
  }

  private failuresOf(path: string): ReadonlyMap<string, Failure> {
    const now = this.options.clock.monotonic();
    return new Map([...(this.failures.get(path) ?? [])].filter(([, { until }]) => now < until));
  }

  private move(rung: PulledRung, reason: string, isRefusal = false): void {
    const { clock, log, makersChanged } = this.options;
    const { path } = rung.ref;
    const failures = this.failures.get(path) ?? new Map<string, Failure>();
    if (rung.maker === NOBODY && this.mayWaitOn(rung)) {
      rung.moveTo(this.choose(path, rung.rung).maker ?? NOBODY);
      this.name(rung);
      return;
    }
    const isOrdered = isRefusal && this.options.orders.orderOf(path, rung.rung)?.node === rung.node;
    const refusals = isOrdered ? (failures.get(rung.node)?.refusals ?? 0) + 1 : 0;
    const until = monotonicMs(clock.monotonic() + (isWorthAnother(refusals) ? REFUSED_ORDER_MS : FAILED_MS));
    this.failures.set(path, failures.set(rung.node, { reason, refusals, until }));
    const { maker, because } = this.choose(path, rung.rung);
    log.warn(
      { code: 'cluster.rung-moved', stream: path, rung: rung.rung, from: rung.node, to: maker?.node },
      `another node has to make the rung: ${reason}`,
    );
    if (maker !== undefined) {
      rung.moveTo(maker);
      this.name(rung);
      return;
    }
    const out = this.pulled.get(rung);
    rung.stop();
    this.makers.get(path)?.delete(rung.rung);
    makersChanged(path);
    out?.lost(because ?? reason);
  }

  private mayWaitOn(rung: PulledRung): boolean {
    const waited = (this.waits.get(rung) ?? 0) + 1;
    this.waits.set(rung, waited);
    return waited < WAITS_MAX && this.options.orders.isLed;
  }

  private name({ ref: { path }, rung, maker }: PulledRung): void {
    if (maker === NOBODY) return;
    const makers = this.makers.get(path) ?? new Map<string, Holder>();
    this.makers.set(path, makers.set(rung, maker));
    this.options.log.info({ code: 'cluster.rung-placed', stream: path, rung, node: maker.node }, 'another node makes the rung');
    this.options.makersChanged(path);
  }

  private isUsable({ node, incarnation }: Holder): boolean {
    const { nodes } = this.options;
    return nodes.isAlive(node, incarnation) && nodes.node(node)?.record.status === 'active';
  }

  private choose(path: string, rung: string): { readonly maker?: Holder; readonly because: string | undefined } {
    const { nodes, nodeId, region, orders } = this.options;
    const failures = this.failuresOf(path);
    const ordered = this.orderedMaker(path, rung);
    if (ordered !== undefined && ordered !== 'none') return { maker: ordered, because: undefined };
    const mayWait = orders.isLed && !failures.has(NOBODY.node);
    const isRefused = isWorthAnother(failures.get(orders.orderOf(path, rung)?.node ?? NOBODY.node)?.refusals ?? 0);
    if (mayWait && (ordered === 'none' || isRefused)) return { maker: NOBODY, because: undefined };
    const present = new Set([...(this.makers.get(path)?.values() ?? [])].map(({ node }) => node));
    const candidates = Array.from(nodes.nodes(), ({ record, heartbeat, headroom, isStale }) => ({
      record,
      load: heartbeat,
      headroom,
      isStale,
    }));
    const decision = placeRung(candidates, { region, present, exclude: new Set([nodeId, ...failures.keys()]) }, Math.random);
    const view = decision.node === undefined ? undefined : nodes.node(decision.node);
    if (view !== undefined) return { maker: { node: view.record.id, incarnation: view.incarnation }, because: undefined };
    if (mayWait && decision.opinions.some(({ refusal }) => refusal === 'full')) return { maker: NOBODY, because: undefined };
    const failed = [...failures.values()].map(({ reason }) => reason);
    return { because: [...failed, ...refusalsOf(decision)].join('; ') || undefined };
  }
}

const isWorthAnother = (refusals: number): boolean => refusals > 0 && refusals <= REFUSALS_MAX;

/** Of nodes that are for transcoding. */
function refusalsOf({ opinions }: PlacementDecision): readonly string[] {
  return opinions.flatMap(({ node, refusal }) =>
    refusal === undefined || refusal === 'role' || refusal === 'excluded' ? [] : [`node ${node} takes none (${refusal})`],
  );
}
