import {
  ALLOCATION_ASK,
  ALLOCATION_LEADER,
  ALLOCATION_NEWS,
  ALLOCATION_PREFIX,
  ALLOCATION_REPORTS,
  type AllocationNote,
  allocationOrders,
  type Bus,
  ClaimRegistry,
  decodeAllocationNews,
  decodeAllocationReport,
  encodeAllocationNews,
  encodeAllocationOrders,
  type Holder,
  type Store,
} from '../cluster/mod.ts';
import { type MonotonicMs, utf8Encode, type WallMs } from '../core/mod.ts';
import { decodeWeights, NO_WEIGHTS, TRANSCODING_KEY, type TranscodingWeights } from '../transcode/mod.ts';
import { AllocationBook, type AllocationWorld } from './allocation-book.ts';

/** The cluster as the allocator sees it. */
export interface AllocatorWorld extends AllocationWorld {
  isAlive(id: string, incarnation: number): boolean;
  /** Whether this node hears the cluster, so that what it does not hear may be gone. */
  readonly isJudging: boolean;
}

/** What an allocator says of itself, for the log. */
export interface AllocatorListener {
  /** It is the one that allocates, by the claim of this epoch. */
  leading(epoch: number): void;
  /** Another one is, or none. */
  resigned(epoch: number): void;
}

export interface AllocatorOptions {
  readonly own: Holder;
  readonly store: Store;
  readonly bus: Bus;
  readonly world: AllocatorWorld;
  readonly isDraining: () => boolean;
  readonly clock: { monotonic(): MonotonicMs; wall(): WallMs };
  readonly listener: AllocatorListener;
}

/** Whoever allocates says so this often; another manager takes over when it has said nothing for {@link LEADER_SILENT_MS}. */
const ALIVE_EACH_MS = 500;
const LEADER_SILENT_MS = 2_000;
const DECIDE_EACH_MS = 2_000;
/** Changes that come together are decided on together. */
const SETTLE_MS = 60;
/** After a decision, so many times what it took is left for all else that a manager does. */
const REST_FACTOR = 4;
/** What the nodes answer to a new leader comes before it decides anything. */
const FIRST_DECISION_MS = 600;
const DECIDED_A_MESSAGE = 200;
const SETTINGS_PREFIX = 'settings/';

/**
 * A manager's part in the allocation of transcoding: one of them holds the claim `allocation/leader`, hears what all nodes report, and tells origins and
 * transcode nodes what it decides. Its orders carry the claim's epoch, so that those of a former leader are void.
 */
export class Allocator {
  private readonly options: AllocatorOptions;
  private readonly claims: ClaimRegistry<object>;
  private readonly endings: (() => void)[] = [];
  private weights: TranscodingWeights = NO_WEIGHTS;
  private leading: { readonly epoch: number; readonly book: AllocationBook } | undefined = undefined;
  private decideAt: number;
  private aliveAt = 0;
  private restUntil = 0;
  private leaderHeardAt: MonotonicMs;
  /** Who was told something, and has to be told when there is nothing any more. */
  private told = new Set<string>();

  constructor(options: AllocatorOptions) {
    this.options = options;
    const { own, store, bus, world, clock } = options;
    this.leaderHeardAt = clock.monotonic();
    this.decideAt = Number.POSITIVE_INFINITY;
    this.claims = new ClaimRegistry<object>(
      {
        store,
        prefix: ALLOCATION_PREFIX,
        followsAll: false,
        own,
        now: () => clock.monotonic(),
        readBody: (json) => (typeof json === 'object' && json !== null ? json : undefined),
        mayReplace: (_name, holder, _wasOurs, done) => done(this.mayReplace(holder)),
        isGone: ({ node, incarnation }) => world.isJudging && !world.isAlive(node, incarnation),
      },
      { changed: () => undefined, held: (_name, epoch) => this.lead(epoch), lost: () => this.resign(), current: () => undefined },
    );
    this.claims.start();
    this.endings.push(
      () => this.claims.stop(),
      bus.subscribe(ALLOCATION_REPORTS, (_subject, message) => this.reported(message)),
      bus.onConnected(() => {
        this.leaderHeardAt = clock.monotonic();
      }),
      bus.subscribe(ALLOCATION_NEWS, (_subject, message) => this.heard(message)),
      store.watch(SETTINGS_PREFIX, {
        changed: ({ key, value }) => this.settingChanged(key, decodeWeights(value)),
        deleted: (key) => this.settingChanged(key, NO_WEIGHTS),
        current: () => undefined,
        lost: () => undefined,
      }),
    );
  }

  /** Whether this node is the one that allocates. */
  get isLeading(): boolean {
    return this.leading !== undefined;
  }

  /** A node came, went, or stands otherwise. */
  nodesChanged(): void {
    this.decideSoon();
  }

  tick(now: MonotonicMs): void {
    this.claims.tick(now);
    const { isDraining, world } = this.options;
    // Silence says something only to one who hears.
    if (!world.isJudging || this.leading !== undefined) this.leaderHeardAt = now;
    if (isDraining()) {
      if (this.claims.isWanted(ALLOCATION_LEADER)) this.claims.release(ALLOCATION_LEADER);
      this.resign();
      return;
    }
    // A former leader that was cut off looks whether it is one still.
    if (!this.claims.isWanted(ALLOCATION_LEADER) && world.isJudging && this.mayClaim(now)) this.claims.claim(ALLOCATION_LEADER, {});
    if (this.leading === undefined) return;
    if (now >= this.decideAt || this.leading.book.hasSilent(now)) this.decide(now);
    if (now >= this.aliveAt) this.tell([], undefined, now);
  }

  /** Gives the claim up, so that another manager need not wait. */
  close(): void {
    if (this.leading !== undefined) this.claims.release(ALLOCATION_LEADER);
    this.leading = undefined;
    for (const end of this.endings.splice(0)) end();
  }

  private mayClaim(now: MonotonicMs): boolean {
    return this.claims.get(ALLOCATION_LEADER) === undefined || now - this.leaderHeardAt > LEADER_SILENT_MS;
  }

  private mayReplace({ node, incarnation }: Holder): 'yes' | 'no' | 'unknown' {
    const { own, world, clock } = this.options;
    if (node === own.node) return 'yes';
    if (!world.isJudging) return 'unknown';
    return !world.isAlive(node, incarnation) || clock.monotonic() - this.leaderHeardAt > LEADER_SILENT_MS ? 'yes' : 'no';
  }

  private lead(epoch: number): void {
    const { listener, bus, world, clock } = this.options;
    listener.leading(epoch);
    this.leading = { epoch, book: new AllocationBook(world, this.weights) };
    this.decideAt = clock.monotonic() + FIRST_DECISION_MS;
    bus.publish(ALLOCATION_ASK, utf8Encode('{"v":1}'));
    this.tell([], undefined, clock.monotonic());
  }

  private resign(): void {
    if (this.leading === undefined) return;
    this.options.listener.resigned(this.leading.epoch);
    this.leading = undefined;
    this.leaderHeardAt = this.options.clock.monotonic();
  }

  private reported(message: Uint8Array): void {
    const report = this.leading === undefined ? undefined : decodeAllocationReport(message);
    if (report !== undefined && this.leading?.book.reported(report, this.options.clock.monotonic()) === true) this.decideSoon();
  }

  private heard(message: Uint8Array): void {
    const news = decodeAllocationNews(message);
    if (news === undefined || news.leader === this.options.own.node) return;
    this.leaderHeardAt = this.options.clock.monotonic();
  }

  private settingChanged(key: string, weights: TranscodingWeights | undefined): void {
    if (key !== TRANSCODING_KEY || weights === undefined) return;
    this.weights = weights;
    this.leading?.book.weightsAre(weights);
    this.decideSoon();
  }

  private decideSoon(): void {
    this.decideAt = Math.min(this.decideAt, Math.max(this.options.clock.monotonic() + SETTLE_MS, this.restUntil));
  }

  private decide(now: MonotonicMs): void {
    const { leading } = this;
    if (leading === undefined) return;
    this.decideAt = now + DECIDE_EACH_MS;
    const { bus, clock } = this.options;
    const { epoch, book } = leading;
    const { orders, changed, nodes, waiting } = book.decide(now);
    this.restUntil = now + (clock.monotonic() - now) * (1 + REST_FACTOR);
    const makers = new Set(nodes.map(({ node }) => node));
    // Makers first: they are to know what counts before it is pulled from them.
    const order = (node: string): void =>
      bus.publish(allocationOrders(node), encodeAllocationOrders({ v: 1, epoch, rungs: orders.get(node) ?? [] }));
    const all = new Set([...makers, ...orders.keys(), ...this.told]);
    for (const node of all) order(node);
    this.told = new Set(orders.keys());
    const atWallMs = Math.round(clock.wall());
    const decided = changed.map((note) => ({ ...note, atWallMs, epoch }));
    this.tell(decided, { nodes, waiting }, now);
  }

  private tell(
    decided: readonly AllocationNote[],
    pool:
      | { readonly nodes: readonly { node: string; state: string; tasks: number; tasksMax: number }[]; readonly waiting: number }
      | undefined,
    now: MonotonicMs,
  ): void {
    const { bus, own } = this.options;
    if (this.leading === undefined) return;
    const { epoch } = this.leading;
    this.aliveAt = now + ALIVE_EACH_MS;
    let at = 0;
    do {
      const part = decided.slice(at, at + DECIDED_A_MESSAGE);
      bus.publish(
        ALLOCATION_NEWS,
        encodeAllocationNews({ v: 1, epoch, leader: own.node, decided: part, pool: at === 0 ? pool : undefined }),
      );
      at += DECIDED_A_MESSAGE;
    } while (at < decided.length);
  }
}
