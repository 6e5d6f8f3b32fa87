import {
  ALLOCATION_ASK,
  ALLOCATION_NEWS,
  type AllocationNews,
  type AllocationNote,
  allocationOrders,
  allocationReport,
  type Bus,
  decodeAllocationNews,
  decodeAllocationOrders,
  encodeAllocationReport,
  type Holder,
  type RungOrder,
  type StreamAudience,
  type TranscodeOffer,
  type WatchedRung,
} from '../cluster/mod.ts';
import type { MonotonicMs } from '../core/mod.ts';

export interface AllocationFollowerOptions {
  readonly own: Holder;
  readonly bus: Bus;
  /** What is watched here. */
  readonly watched: () => readonly WatchedRung[];
  /** Who watches the streams that have rungs, while rules go by that. */
  readonly audiences: () => readonly StreamAudience[];
  /** Of a node that makes rungs for others. */
  readonly offer: () => TranscodeOffer | undefined;
  /** Orders are others than before. */
  readonly ordersChanged: () => void;
  readonly now: () => MonotonicMs;
}

/** How the pool stood when it was last told of. */
export interface PoolStanding {
  readonly leader: string;
  readonly epoch: number;
  readonly pool: NonNullable<AllocationNews['pool']>;
}

/** Decisions that are kept. */
const NOTES_MAX = 1_000;
/** Each decision gives all orders again, and is told after them. A message may be lost; who is given none so often has none: a leader does not know whom the one before him gave any. */
const DECISIONS_WITHOUT_ORDERS = 3;
const REPORT_EACH_MS = 1_000;
const LOOK_EACH_MS = 100;
/** Nobody allocates who says nothing for so long: orders are void, and origins place by themselves. */
const UNLED_MS = 5_000;

/** A node's part in the allocation of transcoding: says what is watched here and what could be made here, and knows what was decided. */
export class AllocationFollower {
  private readonly options: AllocationFollowerOptions;
  private readonly endings: readonly (() => void)[];
  private readonly kept: AllocationNote[] = [];
  private orders: ReadonlyMap<string, RungOrder> = new Map();
  /** Heard of since they were given. */
  private decisionsSince = 0;
  private epoch = 0;
  private ledUntil = Number.NEGATIVE_INFINITY;
  private standing: PoolStanding | undefined = undefined;
  private reportAt = 0;
  private lookAt = 0;
  private reported = '';
  private wasLed = false;

  constructor(options: AllocationFollowerOptions) {
    this.options = options;
    const { bus, own } = options;
    this.endings = [
      bus.subscribe(allocationOrders(own.node), (_subject, message) => this.ordered(message)),
      bus.subscribe(ALLOCATION_NEWS, (_subject, message) => this.heard(message)),
      bus.subscribe(ALLOCATION_ASK, () => this.report(options.watched())),
    ];
  }

  /** Whether somebody allocates. */
  get isLed(): boolean {
    return this.options.now() < this.ledUntil;
  }

  /** What was decided about a rung; undefined: nothing, or nobody decides. */
  orderOf(path: string, rung: string): RungOrder | undefined {
    return this.isLed ? this.orders.get(identity(path, rung)) : undefined;
  }

  /** Whether this node is to make a rung. */
  isOrdered(path: string, rung: string): boolean {
    return this.orderOf(path, rung)?.node === this.options.own.node;
  }

  /** The newest decisions that this node heard of, the newest first. */
  get notes(): readonly AllocationNote[] {
    return this.kept.toReversed();
  }

  get pool(): PoolStanding | undefined {
    return this.isLed ? this.standing : undefined;
  }

  tick(now: MonotonicMs): void {
    if (this.wasLed && !this.isLed) {
      this.wasLed = false;
      this.options.ordersChanged();
    }
    if (now < this.lookAt) return;
    this.lookAt = now + LOOK_EACH_MS;
    const watched = this.options.watched();
    const isOther = watched.map(markOf).join() !== this.reported;
    // Most nodes of a large cluster have nothing to say.
    const isDue = now >= this.reportAt && this.hasNews(watched);
    if (isOther || isDue) this.report(watched);
  }

  close(): void {
    for (const end of this.endings) end();
  }

  private hasNews(watched: readonly WatchedRung[]): boolean {
    const { offer, audiences } = this.options;
    return watched.length > 0 || offer() !== undefined || audiences().length > 0;
  }

  private report(watched: readonly WatchedRung[]): void {
    const { bus, own, offer, audiences, now } = this.options;
    this.reported = watched.map(markOf).join();
    this.reportAt = now() + REPORT_EACH_MS;
    bus.publish(allocationReport(own.node), encodeAllocationReport({ v: 1, ...own, offer: offer(), watched, audiences: audiences() }));
  }

  /** False for what comes from a leader of before. Where nobody leads, epochs begin anew: the store may have lost all that were. */
  private isCurrent(epoch: number): boolean {
    if (epoch < this.epoch && this.isLed) return false;
    this.epoch = epoch;
    this.ledUntil = this.options.now() + UNLED_MS;
    this.wasLed = true;
    return true;
  }

  private ordered(message: Uint8Array): void {
    const orders = decodeAllocationOrders(message);
    if (orders === undefined || !this.isCurrent(orders.epoch)) return;
    this.decisionsSince = 0;
    this.ordersAre(new Map(orders.rungs.map((order) => [identity(order.stream, order.rung), order])));
  }

  private ordersAre(orders: ReadonlyMap<string, RungOrder>): void {
    this.orders = orders;
    this.options.ordersChanged();
  }

  private heard(message: Uint8Array): void {
    const news = decodeAllocationNews(message);
    if (news === undefined || !this.isCurrent(news.epoch)) return;
    const { leader, epoch, pool, decided } = news;
    if (pool !== undefined) {
      this.standing = { leader, epoch, pool };
      this.decisionsSince += 1;
      if (this.decisionsSince >= DECISIONS_WITHOUT_ORDERS && this.orders.size > 0) this.ordersAre(new Map());
    }
    this.kept.push(...decided);
    this.kept.splice(0, Math.max(0, this.kept.length - NOTES_MAX));
  }
}

/** Names hold no line feed. */
const identity = (path: string, rung: string): string => `${path}\n${rung}`;

/** Numbers of viewers change all the time: they are told each second. */
const markOf = ({ stream, rung }: WatchedRung): string => identity(stream, rung);
