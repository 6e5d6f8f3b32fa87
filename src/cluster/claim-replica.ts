import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { type ClaimRecord, epochOf, type Holder, isSameHolder, readClaim, type UnreadableRecord } from './claim-record.ts';
import { PUT_BACK_MS_MAX } from './put-back.ts';
import type { ReplicaMap } from './replica-map.ts';
import type { Store, StoreEntry, StoreWatcher } from './store.ts';

/** What the cluster knows of one claimed thing. */
export interface Claimed<Body> {
  readonly name: string;
  readonly holder: Holder;
  readonly epoch: number;
  readonly body: Body;
}

/** A claim as it was told. */
export interface KnownClaim<Body> {
  readonly record: ClaimRecord<Body>;
  readonly revision: number;
  readonly claimed: Claimed<Body>;
}

/** Claims that are not in a store which has lost everything: they hold until they are put back, or until it is time. */
export interface MissingClaims<Body> {
  /** As they were. What is known as something else by now was told since. */
  readonly claims: ReadonlyMap<string, KnownClaim<Body>>;
  /** The greatest of their revisions: a store that writes a smaller one has begun anew. */
  readonly revision: number;
  readonly until: MonotonicMs;
}

/** What is known of the claims under a prefix: answers at once, also while the store is away. */
export interface Claims<Body> {
  readonly size: number;
  /** Whether all that the store has is known. False before the first sight of it, and after an outage until it was looked through again. */
  readonly isCurrent: boolean;
  /** The greatest of all claims that were ever told. */
  readonly epochSeen: number;
  /** Undefined: the store has all that it had, as far as anybody knows. */
  readonly missing: MissingClaims<Body> | undefined;
  /** Begins to follow the store. */
  start(): void;
  stop(): void;
  get(name: string): KnownClaim<Body> | undefined;
  values(): Iterable<KnownClaim<Body>>;
  /** Tells of this name from now on. Once, until it is not followed any more. */
  follow(name: string): void;
  unfollow(name: string): void;
  /** Gives up what is missing when it is time: see {@link MissingClaims.until}. */
  tick(now: MonotonicMs): void;
}

/** Told of names that are followed, and of claims that were made in the own name. */
export interface ClaimsOutput<Body> {
  /** A claim is new, says something else, or is gone. */
  changed(name: string, known: KnownClaim<Body> | undefined): void;
  /** The store has this revision of it, whatever it says; 0: nothing. */
  seen(name: string, revision: number): void;
  /** All that the store has is known, for the first time or again. */
  current(): void;
}

export interface ClaimsOptions<Body> {
  readonly store: Store;
  /** Of all keys; ends in `/`. What follows is the name. */
  readonly prefix: string;
  readonly own: Holder;
  readonly now: () => MonotonicMs;
  /** Undefined for what cannot be read. */
  readonly readBody: (json: unknown) => Body | undefined;
  /** Every name is followed. */
  readonly followsAll: boolean;
}

const NEVER: MonotonicMs = monotonicMs(Number.POSITIVE_INFINITY);

/** Lets the nodes that share a process share what they read, and what all of them know. */
export interface ClaimSharing {
  claims<Body>(options: ClaimsOptions<Body>, out: ClaimsOutput<Body>): Claims<Body>;
}

export type ClaimReading<Body> = KnownClaim<Body> | UnreadableRecord;

export interface ClaimReplicaParts<Body> {
  /** What it knows at first. */
  readonly known: ReplicaMap<KnownClaim<Body>>;
  readonly epochSeen: number;
  readonly isCurrent: boolean;
  readonly missing: MissingClaims<Body> | undefined;
  readonly read: (entry: StoreEntry) => ClaimReading<Body>;
}

/** All claims under a prefix of the store, as its watch tells them. */
export class ClaimReplica<Body> implements Claims<Body>, StoreWatcher {
  private readonly options: ClaimsOptions<Body>;
  private readonly out: ClaimsOutput<Body>;
  private readonly read: (entry: StoreEntry) => ClaimReading<Body>;
  private readonly known: ReplicaMap<KnownClaim<Body>>;
  private readonly followed = new Set<string>();
  private greatestEpoch: number;
  /** Those of the known names that were told since the store was out of reach; undefined while nothing is missing. */
  private told: Set<string> | undefined;
  /** Whether any of them was told with a smaller revision than before. */
  private hasBegunAnew = false;
  private missed: MissingClaims<Body> | undefined;
  private endWatch: (() => void) | undefined = undefined;

  /** `parts`: what it begins with, instead of nothing. */
  constructor(options: ClaimsOptions<Body>, out: ClaimsOutput<Body>, parts: Partial<ClaimReplicaParts<Body>> = {}) {
    const { known = new Map<string, KnownClaim<Body>>(), epochSeen = 0, isCurrent = false } = parts;
    this.options = options;
    this.out = out;
    this.read = parts.read ?? ((entry) => readKnownClaim(entry, options.prefix, options.readBody));
    this.known = known;
    this.greatestEpoch = epochSeen;
    this.told = isCurrent ? undefined : new Set();
    this.missed = parts.missing;
  }

  get size(): number {
    return this.known.size;
  }

  get isCurrent(): boolean {
    return this.told === undefined;
  }

  get epochSeen(): number {
    return this.greatestEpoch;
  }

  get missing(): MissingClaims<Body> | undefined {
    return this.missed;
  }

  start(): void {
    this.endWatch = this.options.store.watch(this.options.prefix, this);
  }

  stop(): void {
    this.endWatch?.();
    this.endWatch = undefined;
  }

  get(name: string): KnownClaim<Body> | undefined {
    return this.known.get(name);
  }

  values(): Iterable<KnownClaim<Body>> {
    return this.known.values();
  }

  follow(name: string): void {
    this.followed.add(name);
  }

  unfollow(name: string): void {
    this.followed.delete(name);
  }

  changed(entry: StoreEntry): void {
    const reading = this.read(entry);
    const isReadable = reading !== 'newer' && reading !== 'malformed';
    const name = isReadable ? reading.claimed.name : entry.key.slice(this.options.prefix.length);
    const known = this.known.get(name);
    const isMissed = known !== undefined && this.isMissed(name, known);
    // After an outage revisions may have begun anew.
    const isAgain = known !== undefined && (isMissed || this.told?.has(name) === false);
    if (!isAgain && known !== undefined && known.revision >= entry.revision) return;
    if (isAgain && !isMissed && known.revision > entry.revision) this.hasBegunAnew = true;
    if (isReadable) {
      if (reading.claimed.epoch > this.greatestEpoch) this.greatestEpoch = reading.claimed.epoch;
      this.known.set(name, reading);
      this.told?.add(name);
      const isFollowed = this.isFollowed(name);
      if (!isFollowed && !isSameHolder(reading.record.holder, this.options.own)) return;
      const isNews = !isAgain || !isSame(known, reading);
      if (!isFollowed && !isNews) return;
      if (isNews) this.out.changed(name, reading);
      this.out.seen(name, entry.revision);
    } else {
      this.told?.delete(name);
      this.forget(name, entry.revision);
    }
  }

  deleted(key: string): void {
    const name = key.slice(this.options.prefix.length);
    this.told?.delete(name);
    this.forget(name, 0);
  }

  current(): void {
    const { known, told } = this;
    this.told = undefined;
    if (told === undefined || told.size === known.size) this.missed = undefined;
    else this.untold(told);
    this.out.current();
  }

  lost(): void {
    this.told = new Set();
    this.hasBegunAnew = false;
    if (this.missed !== undefined) this.missed = { ...this.missed, until: NEVER };
  }

  tick(now: MonotonicMs): void {
    const { known, missed } = this;
    if (missed === undefined || now < missed.until) return;
    this.missed = undefined;
    for (const [name, claim] of missed.claims) if (known.get(name) === claim) this.forget(name, 0);
  }

  /** What was given up while the store was away, or taken out, is gone; what the store has lost, now or shortly before, its holders put back. */
  private untold(told: ReadonlySet<string>): void {
    const { known, missed } = this;
    const isLost = this.hasBegunAnew || told.size === 0;
    const claims = new Map<string, KnownClaim<Body>>();
    let revision = 0;
    for (const name of [...known.keys()]) {
      const claim = known.get(name);
      if (claim === undefined || told.has(name)) continue;
      const isMissed = this.isMissed(name, claim);
      if (isMissed || isLost) claims.set(name, claim);
      else this.forget(name, 0);
      if (!isMissed) revision = Math.max(revision, claim.revision);
    }
    const until = monotonicMs(this.options.now() + PUT_BACK_MS_MAX);
    this.missed = claims.size === 0 ? undefined : { claims, revision: revision === 0 ? (missed?.revision ?? 0) : revision, until };
  }

  private isMissed(name: string, known: KnownClaim<Body>): boolean {
    return this.missed?.claims.get(name) === known;
  }

  private forget(name: string, revision: number): void {
    const wasKnown = this.known.delete(name);
    if (!this.isFollowed(name)) return;
    if (wasKnown) this.out.changed(name, undefined);
    this.out.seen(name, revision);
  }

  private isFollowed(name: string): boolean {
    return this.options.followsAll || this.followed.has(name);
  }
}

/** An entry as all who are told of it read it. */
export function readKnownClaim<Body>(
  { key, value, revision }: StoreEntry,
  prefix: string,
  readBody: (json: unknown) => Body | undefined,
): ClaimReading<Body> {
  const record = readClaim(value, readBody);
  if (record === 'newer' || record === 'malformed') return record;
  const { holder, body } = record;
  return { revision, record, claimed: { name: key.slice(prefix.length), holder, epoch: epochOf(record, revision), body } };
}

/** Whether two claims say the same of who holds it, and of what. */
const isSame = <Body>(left: KnownClaim<Body>, right: KnownClaim<Body>): boolean =>
  left === right ||
  (left.claimed.epoch === right.claimed.epoch &&
    isSameHolder(left.claimed.holder, right.claimed.holder) &&
    (left.claimed.body === right.claimed.body || JSON.stringify(left.claimed.body) === JSON.stringify(right.claimed.body)));
