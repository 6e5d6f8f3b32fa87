import type { MonotonicMs } from '../core/mod.ts';
import { Claim, type ClaimPorts, type ReplaceVerdict } from './claim.ts';
import { type ClaimRecord, epochOf, type Holder, isSameHolder, readClaim } from './claim-record.ts';
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
  readonly mayReplace: (name: string, holder: Holder, done: (verdict: ReplaceVerdict) => void) => void;
}

interface Known<Body> {
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
  private readonly known = new Map<string, Known<Body>>();
  private readonly claims = new Map<string, Claim<Body>>();
  /** Given up, but still in the store. */
  private readonly leaving = new Map<string, Claim<Body>>();
  private unseen: Set<string> | undefined = new Set();
  private endWatch: (() => void) | undefined = undefined;

  constructor(options: ClaimRegistryOptions<Body>, out: ClaimRegistryOutput<Body>) {
    this.options = options;
    this.out = out;
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
      readBody: this.options.readBody,
      mayReplace: (holder, done) => this.options.mayReplace(name, holder, done),
    };
    const claim = new Claim(this.options.prefix + name, body, ports, {
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
    if (!claim.isOver) this.leaving.set(name, claim);
  }

  tick(now: MonotonicMs): void {
    for (const claim of this.claims.values()) claim.tick(now);
    for (const [name, claim] of this.leaving) {
      claim.tick(now);
      if (claim.isOver) this.leaving.delete(name);
    }
  }

  private told(entry: StoreEntry): void {
    const name = entry.key.slice(this.options.prefix.length);
    const isAfterOutage = this.unseen?.delete(name) === true;
    const known = this.known.get(name);
    if (!isAfterOutage && known !== undefined && known.revision >= entry.revision) return;
    const record = readClaim(entry.value, this.options.readBody);
    if (record === 'newer' || record === 'malformed') {
      this.forget(name);
    } else {
      const claimed = claimedBy(name, record, entry.revision);
      this.known.set(name, { revision: entry.revision, claimed });
      this.out.changed(name, claimed);
      this.leaveOrphan(name, record);
    }
    this.claims.get(name)?.seen(entry.revision);
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
    this.claims.get(name)?.seen(0);
  }

  private complete(): void {
    const { unseen } = this;
    this.unseen = undefined;
    for (const name of unseen ?? []) this.gone(name);
    for (const claim of this.claims.values()) claim.recheck();
  }

  private forget(name: string): void {
    if (this.known.delete(name)) this.out.changed(name, undefined);
  }
}

const claimedBy = <Body>(name: string, record: ClaimRecord<Body>, revision: number): Claimed<Body> => ({
  name,
  holder: record.holder,
  epoch: epochOf(record, revision),
  body: record.body,
});
