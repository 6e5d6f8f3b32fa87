import type { AllocationFollower } from '../../allocation/mod.ts';
import { type Claimed, type Holder, makerOf, type StreamBody, type Upstream } from '../../cluster/mod.ts';
import type { MonotonicMs } from '../../core/mod.ts';
import type { LiveStream, RenditionOffer } from '../../hub/mod.ts';
import type { RelayWish } from '../../protocols/relay/mod.ts';
import type { RelayRefused, RelaySource } from '../relay/mod.ts';
import type { MadeHere, PlacedRung, PlacedRungOutput, RungMakers, RungStanding } from '../transcode/mod.ts';
import { RungOrders } from './rung-orders.ts';
import { RungPlacing, type RungPlacingOptions } from './rung-placing.ts';

export interface ClusterRungsOptions extends Omit<RungPlacingOptions, 'makesItself' | 'orders'> {
  readonly allocation: AllocationFollower;
  readonly incarnation: number;
  /** Whether this node makes rungs for others, and all of its own streams. */
  readonly makesRungs: boolean;
  readonly standingOf: (path: string, rung: string) => RungStanding | undefined;
  readonly isDraining: () => boolean;
  /** What is known of a stream. */
  readonly claimed: (path: string) => Claimed<StreamBody> | undefined;
  /** The epoch by which a stream of another node is here; 0 before that is known, undefined when it is not pulled. */
  readonly pulledEpoch: (path: string) => number | undefined;
  /** Pulls the stream, if it is not yet, and leaves the rungs out that this node makes. */
  readonly prepare: (path: string) => void;
}

/** The rungs of streams as far as more than one node has to do with them: those placed elsewhere, those made here for others, and where each is pulled from. */
export class ClusterRungs implements RungMakers {
  private readonly options: ClusterRungsOptions;
  private readonly orders: RungOrders;
  private readonly placing: RungPlacing;

  constructor(options: ClusterRungsOptions) {
    this.options = options;
    const { nodeId, incarnation, makesRungs, claimed, standingOf, clock } = options;
    this.orders = new RungOrders({
      own: { node: nodeId, incarnation },
      takesOrders: makesRungs,
      claimed,
      standingOf,
      now: () => clock.monotonic(),
    });
    this.placing = new RungPlacing({ ...options, orders: options.allocation, makesItself: makesRungs });
  }

  makesSomeOf(path: string): boolean {
    return this.orders.makesSomeOf(path);
  }

  makes(path: string, rung: string): boolean {
    return this.orders.makes(path, rung);
  }

  isOrdered(path: string, rung: string): boolean {
    return this.options.makesRungs && this.options.allocation.isOrdered(path, rung);
  }

  isForAnother(path: string, rung: string): boolean {
    return !this.options.makesRungs && this.placing.isForAnother(path, rung);
  }

  /** Where nobody could make it at all, its origin does. */
  refusalOf(path: string, rung: string): string | undefined {
    const { makesRungs, allocation } = this.options;
    const order = makesRungs ? undefined : allocation.orderOf(path, rung);
    return order === undefined || order.node !== undefined || order.reason === 'no-node' ? undefined : order.message;
  }

  place(stream: LiveStream, offer: RenditionOffer, out: PlacedRungOutput): PlacedRung | MadeHere {
    return this.placing.place(stream, offer, out);
  }

  /** Who makes the rungs of a stream that is published here, for its record. */
  makersOf(path: string): Readonly<Record<string, Holder>> | undefined {
    return this.placing.makersOf(path);
  }

  /**
   * The node that a rendition is to be pulled from instead of the stream's upstream: its maker, where that is in this region, or the stream comes from its
   * origin, so that each region takes it across once.
   */
  makerFor(path: string, rendition: string, upstream: Upstream): Holder | undefined {
    const { nodes, nodeId, region, claimed } = this.options;
    const stream = claimed(path);
    const maker = stream === undefined ? undefined : makerOf(stream.body, rendition);
    if (maker === undefined || maker.node === nodeId || !nodes.isAlive(maker.node, maker.incarnation)) return undefined;
    const isNear = nodes.node(maker.node)?.record.region === region;
    return isNear || upstream.node === stream?.holder.node ? maker : undefined;
  }

  /** What a node that pulls a rung from here gets; undefined: this node does not make it. */
  open({ ref: { path }, rendition, hops, epoch }: RelayWish): RelaySource | RelayRefused | undefined {
    this.orders.pulledBy(hops[0], path, rendition);
    if (!this.orders.makes(path, rendition)) return undefined;
    const { hub, standingOf, isDraining, pulledEpoch, prepare } = this.options;
    const standing = standingOf(path, rendition);
    if (standing?.isOffered !== true && isDraining()) return { refused: 'draining', message: 'this node takes nothing new' };
    prepare(path);
    if (standing?.reason !== undefined) return { refused: 'not-allowed', message: standing.reason };
    const stream = hub.stream(path);
    const present = pulledEpoch(path) ?? 0;
    if (stream === undefined || present === 0 || standing?.isOffered !== true) {
      return { refused: 'unknown', message: `${rendition} of ${path} is not made here yet` };
    }
    if (present < epoch) return { refused: 'stale-epoch', message: `${path} is here by an older claim`, epoch: present };
    return { stream, epoch: present, hops: [], isMadeHere: true };
  }

  nodesChanged(): void {
    this.placing.nodesChanged();
  }

  /** Something else was decided for the cluster. */
  ordersChanged(): void {
    this.placing.ordersChanged();
  }

  /** A stream is not published here any more. */
  ended(path: string): void {
    this.placing.ended(path);
  }

  tick(now: MonotonicMs): void {
    this.placing.tick(now);
  }

  /** Forgets old orders; true if what this node makes may have changed by the time alone. */
  review(): boolean {
    this.orders.tick();
    return this.options.makesRungs;
  }

  close(): void {
    this.placing.close();
  }
}
