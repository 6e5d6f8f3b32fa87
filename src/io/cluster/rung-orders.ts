import { type Claimed, type Holder, isSameHolder, makerOf, type StreamBody } from '../../cluster/mod.ts';
import type { MonotonicMs } from '../../core/mod.ts';
import type { RungStanding } from '../transcode/mod.ts';

export interface RungOrdersOptions {
  readonly own: Holder;
  /** Whether this node makes rungs of streams from elsewhere at all. */
  readonly takesOrders: boolean;
  /** What is known of a stream. */
  readonly claimed: (path: string) => Claimed<StreamBody> | undefined;
  readonly standingOf: (path: string, rung: string) => RungStanding | undefined;
  readonly now: () => MonotonicMs;
}

interface Order {
  /** The stream's origin. */
  readonly by: string;
  readonly at: MonotonicMs;
}

/** An order holds so long without what the stream's record says, which may be late, or not come at all while the store is away. */
const ORDER_MS = 5_000;

/**
 * Which rungs of other nodes' streams this node is to make: those whose record names it, and those that the stream's origin pulls from here, which it does of
 * nothing else.
 */
export class RungOrders {
  private readonly options: RungOrdersOptions;
  /** By stream and rung. */
  private readonly orders = new Map<string, Map<string, Order>>();

  constructor(options: RungOrdersOptions) {
    this.options = options;
  }

  makesSomeOf(path: string): boolean {
    if (!this.options.takesOrders) return false;
    const named = Object.keys(this.options.claimed(path)?.body.makers ?? {});
    return [...named, ...(this.orders.get(path)?.keys() ?? [])].some((rung) => this.makes(path, rung));
  }

  makes(path: string, rung: string): boolean {
    const { own, takesOrders, claimed } = this.options;
    const stream = takesOrders ? claimed(path) : undefined;
    if (stream === undefined || stream.holder.node === own.node) return false;
    const order = this.orders.get(path)?.get(rung);
    const isOrdered = order?.by === stream.holder.node;
    if (isOrdered && this.isFresh(order)) return true;
    const named = makerOf(stream.body, rung);
    if (named !== undefined) return isSameHolder(named, own);
    return isOrdered && this.isWanted(path, rung);
  }

  /** A node pulls a rung from here; it is an order if that node is the stream's origin. */
  pulledBy(node: string | undefined, path: string, rung: string): void {
    const { takesOrders, claimed, now } = this.options;
    if (!takesOrders || node === undefined || claimed(path)?.holder.node !== node) return;
    const ofStream = this.orders.get(path) ?? new Map<string, Order>();
    this.orders.set(path, ofStream.set(rung, { by: node, at: now() }));
  }

  /** Forgets orders that nobody came back to. */
  tick(): void {
    for (const [path, ofStream] of this.orders) {
      for (const [rung, order] of ofStream) if (!this.isFresh(order) && !this.isWanted(path, rung)) ofStream.delete(rung);
      if (ofStream.size === 0) this.orders.delete(path);
    }
  }

  private isFresh({ at }: Order): boolean {
    return this.options.now() - at < ORDER_MS;
  }

  private isWanted(path: string, rung: string): boolean {
    return this.options.standingOf(path, rung)?.isWanted === true;
  }
}
