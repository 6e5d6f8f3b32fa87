import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { Claim, type ClaimPorts, type ReplaceVerdict } from './claim.ts';
import { type Holder, isSameHolder } from './claim-record.ts';
import { type Claimed, ClaimReplica, type ClaimSharing, type Claims, type KnownClaim } from './claim-replica.ts';
import type { Store } from './store.ts';

export interface ClaimRegistryOutput<Body> {
  /** Somebody's claim of a name that is followed is new, says something else, or is gone. */
  changed(name: string, claimed: Claimed<Body> | undefined): void;
  /** This node's claim holds, with this fencing number. */
  held(name: string, epoch: number): void;
  /** This node's claim is lost to somebody. */
  lost(name: string, to: Holder | undefined): void;
  /** All that the store has is known, for the first time or again. */
  current(): void;
}

export interface ClaimRegistryOptions<Body> {
  readonly store: Store;
  /** Of all keys; ends in `/`. What follows is the name. */
  readonly prefix: string;
  readonly own: Holder;
  readonly now: () => MonotonicMs;
  /** Undefined for what cannot be read. */
  readonly readBody: (json: unknown) => Body | undefined;
  /** Whether a claim of this node may replace the holder's. */
  readonly mayReplace: (name: string, holder: Holder, wasOurs: boolean, done: (verdict: ReplaceVerdict) => void) => void;
  /** Whether a run of a node's process is gone. */
  readonly isGone: (holder: Holder) => boolean;
  /** Every name is followed; otherwise those that this node claims, and those it is asked to follow. */
  readonly followsAll: boolean;
  readonly share?: ClaimSharing;
}

const NEVER: MonotonicMs = monotonicMs(Number.POSITIVE_INFINITY);
/** What belongs to nobody any more is taken out when its holder has been gone for so long. */
const SWEEP_GONE_MS = 30_000;

/** Since when the holder of a claim is gone. */
interface Orphan {
  readonly epoch: number;
  readonly since: MonotonicMs;
}

/**
 * All claims under a prefix of the store: a replica that answers at once, also while the store is away, and this node's own claims among them. What is in
 * the store in this node's name without being wanted any more is taken out.
 */
export class ClaimRegistry<Body> {
  private readonly options: ClaimRegistryOptions<Body>;
  private readonly out: ClaimRegistryOutput<Body>;
  private readonly known: Claims<Body>;
  /** By name, by how many it is followed here. */
  private readonly followed = new Map<string, number>();
  private readonly claims = new Map<string, Claim<Body>>();
  /** Those that wait to try again. */
  private readonly waiting = new Set<Claim<Body>>();
  /** Given up, but still in the store. */
  private readonly leaving = new Map<string, Claim<Body>>();
  /** By name. */
  private orphans: ReadonlyMap<string, Orphan> = new Map();
  private nextAt: MonotonicMs = NEVER;

  constructor(options: ClaimRegistryOptions<Body>, out: ClaimRegistryOutput<Body>) {
    this.options = options;
    this.out = out;
    const told = {
      changed: (name: string, known: KnownClaim<Body> | undefined) => this.changed(name, known),
      seen: (name: string, revision: number) => this.claims.get(name)?.seen(revision),
      current: () => {
        for (const [name, claim] of this.claims) this.resume(name, claim);
        this.wake(this.known.missing?.until);
        out.current();
      },
    };
    this.known = options.share?.claims(options, told) ?? new ClaimReplica(options, told);
  }

  /** Begins to follow the store. */
  start(): void {
    this.known.start();
  }

  /** Ends the watch; claims stay as they are in the store. */
  stop(): void {
    this.known.stop();
  }

  get(name: string): Claimed<Body> | undefined {
    return this.known.get(name)?.claimed;
  }

  get count(): number {
    return this.known.size;
  }

  *all(): Iterable<Claimed<Body>> {
    for (const { claimed } of this.known.values()) yield claimed;
  }

  /** Names that are known, wanted, or being given up. */
  get size(): number {
    return this.known.size + this.claims.size + this.leaving.size;
  }

  /** The epoch of this node's own claim. */
  heldEpoch(name: string): number | undefined {
    return this.claims.get(name)?.heldEpoch;
  }

  /** Tells of this name from now on, as often as it is asked to more often than {@link unfollow}. */
  follow(name: string): void {
    const followers = this.followed.get(name) ?? 0;
    this.followed.set(name, followers + 1);
    if (followers === 0) this.known.follow(name);
  }

  unfollow(name: string): void {
    const followers = this.followed.get(name) ?? 0;
    if (followers > 1) {
      this.followed.set(name, followers - 1);
    } else if (this.followed.delete(name)) {
      this.known.unfollow(name);
    }
  }

  /** Whether this node has the claim or is after it. */
  isWanted(name: string): boolean {
    return this.claims.has(name);
  }

  /** Wants the name for this node. Does nothing where that is so already. */
  claim(name: string, body: Body): void {
    if (this.claims.has(name)) return;
    const ports: ClaimPorts<Body> = {
      store: this.options.store,
      own: this.options.own,
      now: this.options.now,
      epochSeen: () => this.known.epochSeen,
      revisionLost: () => this.revisionLost(name),
      readBody: this.options.readBody,
      waits: () => {
        this.waiting.add(claim);
        this.wake(claim.wakeAt);
      },
      mayReplace: (holder, wasOurs, done) => this.options.mayReplace(name, holder, wasOurs, done),
    };
    const claim: Claim<Body> = new Claim(this.options.prefix + name, body, ports, {
      held: (epoch) => this.out.held(name, epoch),
      lost: (to) => {
        this.claims.delete(name);
        this.unfollow(name);
        this.out.lost(name, to);
      },
    });
    this.claims.set(name, claim);
    this.follow(name);
  }

  /** Says something new of a claimed name. */
  describe(name: string, body: Body): void {
    this.claims.get(name)?.describe(body);
  }

  /** Gives a name up. */
  release(name: string): void {
    const claim = this.claims.get(name);
    if (claim === undefined) return;
    this.claims.delete(name);
    this.unfollow(name);
    claim.release();
    if (claim.isOver) return;
    this.leaving.set(name, claim);
    this.wake(this.options.now());
  }

  /** When it is to be ticked next; in the past: as soon as may be. */
  get wakeAt(): MonotonicMs {
    return this.nextAt;
  }

  tick(now: MonotonicMs): void {
    if (now < this.nextAt) return;
    this.nextAt = NEVER;
    this.known.tick(now);
    this.wake(this.known.missing?.until);
    for (const claim of this.waiting) {
      claim.tick(now);
      if (claim.wakeAt === undefined) this.waiting.delete(claim);
      else this.wake(claim.wakeAt);
    }
    for (const [name, claim] of this.leaving) {
      claim.tick(now);
      if (claim.isOver) this.leaving.delete(name);
      else this.wake(now);
    }
  }

  private wake(at: MonotonicMs | undefined): void {
    if (at !== undefined && at < this.nextAt) this.nextAt = at;
  }

  /**
   * Now and then: takes out what those have left who were gone for long. For any node to do; one of a region is enough. Tells how much is left by those
   * who are gone, as far as it is known; more than 0 where that cannot be told now.
   */
  sweep(now: MonotonicMs): number {
    const { known, options } = this;
    const before = this.orphans;
    const orphans = new Map<string, Orphan>();
    this.orphans = orphans;
    if (!known.isCurrent) return 1;
    for (const { revision, claimed } of known.values()) {
      const { name, epoch, holder } = claimed;
      if (!options.isGone(holder)) continue;
      const orphan = before.get(name);
      const since = orphan?.epoch === epoch ? orphan.since : now;
      orphans.set(name, { epoch, since });
      if (now - since < SWEEP_GONE_MS || this.claims.has(name)) continue;
      // Whatever comes of it: the next look tells.
      options.store.delete(options.prefix + name, revision, () => undefined);
    }
    return orphans.size;
  }

  /** What the watch has told of a claim since the store is back is not asked for again: with thousands of claims that would be as many questions at one moment. */
  private resume(name: string, claim: Claim<Body>): void {
    const known = this.known.get(name);
    claim.resumed(this.known.missing?.claims.get(name) === known ? undefined : known);
  }

  /** See {@link ClaimPorts.revisionLost}. */
  private revisionLost(name: string): number | undefined {
    const { isCurrent, missing } = this.known;
    const lost = missing?.claims.get(name);
    if (!isCurrent) return undefined;
    return lost !== undefined && missing !== undefined && isSameHolder(lost.record.holder, this.options.own) ? missing.revision : 0;
  }

  private changed(name: string, known: KnownClaim<Body> | undefined): void {
    this.out.changed(name, known?.claimed);
    if (known !== undefined) this.leaveOrphan(name, known);
  }

  /** This node's, but by no claim of its: left over from one that was given up while the store was away. */
  private leaveOrphan(name: string, { record }: KnownClaim<Body>): void {
    if (!isSameHolder(record.holder, this.options.own) || this.claims.has(name) || this.leaving.has(name)) return;
    this.claim(name, record.body);
    this.release(name);
  }
}
