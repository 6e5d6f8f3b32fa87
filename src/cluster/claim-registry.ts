import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { Claim, type ClaimPorts, type ReplaceVerdict } from './claim.ts';
import { type ClaimRecord, epochOf, type Holder, isSameHolder, readClaim, type UnreadableRecord } from './claim-record.ts';
import type { ReplicaMap } from './replica-map.ts';
import type { Store, StoreEntry } from './store.ts';

/** What the cluster knows of one claimed thing. */
export interface Claimed<Body> {
  readonly name: string;
  readonly holder: Holder;
  readonly epoch: number;
  readonly body: Body;
}

export interface ClaimRegistryOutput<Body> {
  /** Somebody's claim is new, says something else, or is gone. */
  changed(name: string, claimed: Claimed<Body> | undefined): void;
  /** This node's claim holds, with this fencing number. */
  held(name: string, epoch: number): void;
  /** This node's claim is lost to somebody. */
  lost(name: string, to: Holder | undefined): void;
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
  readonly share?: Sharing;
}

const NEVER: MonotonicMs = monotonicMs(Number.POSITIVE_INFINITY);
/** What belongs to nobody any more is taken out when its holder has been gone for so long. */
const SWEEP_GONE_MS = 30_000;

/** Lets the nodes that share a process share what they read, and what all of them know. */
export interface Sharing {
  /** Gives a `read` that reads each entry once, for all of one prefix. */
  readings<Reading extends object | string>(prefix: string, read: (entry: StoreEntry) => Reading): (entry: StoreEntry) => Reading;
  /** One node's map of what is under a prefix. */
  replica<Value extends object>(prefix: string): ReplicaMap<Value>;
}

interface Known<Body> {
  readonly record: ClaimRecord<Body>;
  readonly revision: number;
  readonly claimed: Claimed<Body>;
}

/**
 * All claims under a prefix of the store: a replica that answers at once, also while the store is away, and this node's own claims among them. What is in
 * the store in this node's name without being wanted any more is taken out.
 */
export class ClaimRegistry<Body> {
  private readonly options: ClaimRegistryOptions<Body>;
  private readonly out: ClaimRegistryOutput<Body>;
  private readonly known: ReplicaMap<Known<Body>>;
  private readonly claims = new Map<string, Claim<Body>>();
  /** Those that wait to try again. */
  private readonly waiting = new Set<Claim<Body>>();
  /** Given up, but still in the store. */
  private readonly leaving = new Map<string, Claim<Body>>();
  /** The greatest of all claims that were ever told. */
  private epochSeen = 0;
  /** Names whose holders are gone, and since when. */
  private readonly orphans = new Map<string, MonotonicMs>();
  private readonly read: (entry: StoreEntry) => Known<Body> | UnreadableRecord;
  private unseen: Set<string> | undefined = new Set();
  private endWatch: (() => void) | undefined = undefined;
  private nextAt: MonotonicMs = NEVER;

  constructor(options: ClaimRegistryOptions<Body>, out: ClaimRegistryOutput<Body>) {
    this.options = options;
    this.out = out;
    const { prefix, readBody, share } = options;
    const read = (entry: StoreEntry): Known<Body> | UnreadableRecord => readKnown(entry, prefix, readBody);
    this.read = share === undefined ? read : share.readings(prefix, read);
    this.known = share === undefined ? new Map<string, Known<Body>>() : share.replica(prefix);
  }

  /** Begins to follow the store. */
  start(): void {
    const { store, prefix } = this.options;
    this.endWatch = store.watch(prefix, {
      changed: (entry) => this.told(entry),
      deleted: (key) => this.gone(key.slice(prefix.length)),
      current: () => this.complete(),
      lost: () => {
        this.unseen = new Set(this.known.keys());
      },
    });
  }

  /** Ends the watch; claims stay as they are in the store. */
  stop(): void {
    this.endWatch?.();
    this.endWatch = undefined;
  }

  /** Whether all that the store has is known. False before the first sight of it, and after an outage until it was looked through again. */
  get isCurrent(): boolean {
    return this.unseen === undefined;
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
      epochSeen: () => this.epochSeen,
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
        this.out.lost(name, to);
      },
    });
    this.claims.set(name, claim);
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
    if (this.unseen !== undefined) {
      this.orphans.clear();
      return 1;
    }
    for (const { revision, claimed } of this.known.values()) {
      const { name } = claimed;
      if (!this.options.isGone(claimed.holder)) {
        this.orphans.delete(name);
        continue;
      }
      const since = this.orphans.get(name) ?? now;
      this.orphans.set(name, since);
      if (now - since < SWEEP_GONE_MS || this.claims.has(name)) continue;
      // Whatever comes of it: the next look tells.
      this.options.store.delete(this.options.prefix + name, revision, () => undefined);
    }
    return this.orphans.size;
  }

  private told(entry: StoreEntry): void {
    const reading = this.read(entry);
    const isReadable = reading !== 'newer' && reading !== 'malformed';
    const name = isReadable ? reading.claimed.name : entry.key.slice(this.options.prefix.length);
    const isAfterOutage = this.unseen?.delete(name) === true;
    const known = this.known.get(name);
    if (!isAfterOutage && known !== undefined && known.revision >= entry.revision) return;
    if (isReadable) {
      const { claimed, record } = reading;
      if (claimed.epoch > this.epochSeen) this.epochSeen = claimed.epoch;
      this.known.set(name, reading);
      this.out.changed(name, claimed);
      this.leaveOrphan(name, record);
    } else {
      this.forget(name);
    }
    if (this.claims.size > 0) this.claims.get(name)?.seen(entry.revision);
  }

  /** This node's, but by no claim of its: left over from one that was given up while the store was away. */
  private leaveOrphan(name: string, record: ClaimRecord<Body>): void {
    if (!isSameHolder(record.holder, this.options.own) || this.claims.has(name) || this.leaving.has(name)) return;
    this.claim(name, record.body);
    this.release(name);
  }

  private gone(name: string): void {
    this.unseen?.delete(name);
    this.forget(name);
    if (this.claims.size > 0) this.claims.get(name)?.seen(0);
  }

  private complete(): void {
    const { unseen } = this;
    this.unseen = undefined;
    for (const name of unseen ?? []) this.gone(name);
    for (const claim of this.claims.values()) claim.recheck();
  }

  private forget(name: string): void {
    if (this.orphans.size > 0) this.orphans.delete(name);
    if (this.known.delete(name)) this.out.changed(name, undefined);
  }
}

function readKnown<Body>(
  { key, value, revision }: StoreEntry,
  prefix: string,
  readBody: (json: unknown) => Body | undefined,
): Known<Body> | UnreadableRecord {
  const record = readClaim(value, readBody);
  if (record === 'newer' || record === 'malformed') return record;
  const { holder, body } = record;
  return { revision, record, claimed: { name: key.slice(prefix.length), holder, epoch: epochOf(record, revision), body } };
}
