import {
  type ClaimReading,
  ClaimReplica,
  type Claims,
  type ClaimsOptions,
  type ClaimsOutput,
  type KnownClaim,
  type MissingClaims,
  PUT_BACK_MS_MAX,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../src/core/mod.ts';
import { ClaimKnowledge, type ClaimReplay, replayedClaims } from './claim-replay.ts';
import type { Watch } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import type { Replays } from './replays.ts';
import type { SharedMap } from './shared-map.ts';

/** The greatest of the epochs that were told since any time. */
class EpochsTold {
  private told = 0;
  /** Each is greater than all after it. */
  private readonly greatest: { readonly at: number; readonly epoch: number }[] = [];

  get count(): number {
    return this.told;
  }

  add(epoch: number): void {
    const { greatest } = this;
    for (let last = greatest.at(-1); last !== undefined && last.epoch <= epoch; last = greatest.at(-1)) greatest.pop();
    greatest.push({ at: this.told++, epoch });
  }

  /** Without those of the first `count`; 0: there are no others. */
  since(count: number): number {
    return this.greatest.find(({ at }) => at >= count)?.epoch ?? 0;
  }
}

/**
 * Nodes that know the same of the claims under a prefix, and are told of changes at the same moment: they are told once. What follows is done by those that
 * a change concerns.
 */
class Crowd<Body> {
  readonly known: SharedMap<KnownClaim<Body>>;
  readonly epochs: EpochsTold = new EpochsTold();
  private readonly replica: ClaimReplica<Body>;
  private readonly members = new Map<string, NodeClaims<Body>>();
  /** By name. */
  private readonly followers = new Map<string, Set<NodeClaims<Body>>>();

  constructor(
    options: ClaimsOptions<Body>,
    known: SharedMap<KnownClaim<Body>>,
    missing: MissingClaims<Body> | undefined,
    read: (entry: StoreEntry) => ClaimReading<Body>,
  ) {
    this.known = known;
    const told: ClaimsOutput<Body> = {
      changed: (name, claim) => this.changed(name, claim),
      seen: (name, revision) => {
        for (const member of this.of(name)) member.seen(name, revision);
      },
      current: () => undefined,
    };
    this.replica = new ClaimReplica({ ...options, followsAll: true }, told, { known, isCurrent: true, missing, read });
  }

  get knowledge(): ClaimKnowledge<Body> {
    return new ClaimKnowledge(this.known, this.replica.missing);
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  told(key: string, entry: StoreEntry | undefined): void {
    if (entry === undefined) this.replica.deleted(key);
    else this.replica.changed(entry);
  }

  tick(now: MonotonicMs): void {
    this.replica.tick(now);
  }

  add(member: NodeClaims<Body>): void {
    this.members.set(member.node, member);
    for (const name of member.followed) this.follow(name, member);
  }

  delete(member: NodeClaims<Body>): void {
    this.members.delete(member.node);
    for (const name of member.followed) this.unfollow(name, member);
  }

  follow(name: string, member: NodeClaims<Body>): void {
    const followers = this.followers.get(name);
    if (followers === undefined) this.followers.set(name, new Set([member]));
    else followers.add(member);
  }

  unfollow(name: string, member: NodeClaims<Body>): void {
    const followers = this.followers.get(name);
    if (followers?.delete(member) === true && followers.size === 0) this.followers.delete(name);
  }

  private changed(name: string, claim: KnownClaim<Body> | undefined): void {
    if (claim !== undefined) this.epochs.add(claim.claimed.epoch);
    const holder = claim === undefined ? undefined : this.members.get(claim.record.holder.node);
    const isOwn = holder?.incarnation === claim?.record.holder.incarnation;
    const followers = this.of(name);
    for (const member of followers) member.changed(name, claim);
    if (holder !== undefined && isOwn && !followers.includes(holder)) {
      holder.changed(name, claim);
      holder.seen(name, claim?.revision ?? 0);
    }
  }

  private of(name: string): readonly NodeClaims<Body>[] {
    return [...(this.followers.get(name) ?? [])];
  }
}

export interface NodeClaimsParts<Body> {
  readonly client: EngineClient;
  /** What nobody was told yet. */
  readonly known: SharedMap<KnownClaim<Body>>;
  readonly read: (entry: StoreEntry) => ClaimReading<Body>;
  readonly replays: Replays<ClaimKnowledge<Body>, ClaimReplay<Body>>;
}

/** What one node knows of the claims under a prefix: by itself, or with all that know the same, as long as nothing parts it from them. */
export class NodeClaims<Body> implements Claims<Body> {
  readonly followed: Set<string> = new Set();
  private readonly options: ClaimsOptions<Body>;
  private readonly out: ClaimsOutput<Body>;
  private readonly parts: NodeClaimsParts<Body>;
  private known: SharedMap<KnownClaim<Body>>;
  private alone: ClaimReplica<Body> | undefined;
  private crowd: Crowd<Body> | undefined = undefined;
  /** What the crowd was told before it came. */
  private before = { count: 0, epoch: 0 };
  private watch: Watch | undefined = undefined;
  /** It has seen all that was there, and missed nothing since. */
  private isWhole = false;

  constructor(options: ClaimsOptions<Body>, out: ClaimsOutput<Body>, parts: NodeClaimsParts<Body>) {
    this.options = options;
    this.out = out;
    this.parts = parts;
    this.known = parts.known;
    this.alone = new ClaimReplica(options, out, parts);
  }

  get node(): string {
    return this.options.own.node;
  }

  get incarnation(): number {
    return this.options.own.incarnation;
  }

  get size(): number {
    return this.known.size;
  }

  get isCurrent(): boolean {
    return this.alone?.isCurrent ?? true;
  }

  get epochSeen(): number {
    const { alone, before, crowd } = this;
    return alone?.epochSeen ?? Math.max(before.epoch, crowd?.epochs.since(before.count) ?? 0);
  }

  get missing(): MissingClaims<Body> | undefined {
    return this.alone === undefined ? this.crowd?.knowledge.missing : this.alone.missing;
  }

  /** What is missing is given up at one moment by all of a crowd. */
  tick(now: MonotonicMs): void {
    this.crowd?.tick(now);
    this.alone?.tick(now);
    this.join();
  }

  start(): void {
    this.watch = this.parts.client.watch(this.options.prefix, {
      changed: (entry) => this.alone?.changed(entry),
      deleted: (key) => this.alone?.deleted(key),
      current: () => {
        this.alone?.current();
        this.isSeen();
      },
      replayed: (entries) => this.replayed(entries),
      lost: () => this.alone?.lost(),
      awake: () => this.join(),
      parted: (hasLeft) => {
        if (hasLeft) this.isWhole = false;
        this.part();
      },
    });
  }

  stop(): void {
    if (this.watch !== undefined) this.parts.client.endWatch(this.watch);
  }

  get(name: string): KnownClaim<Body> | undefined {
    return this.known.get(name);
  }

  values(): Iterable<KnownClaim<Body>> {
    return this.known.values();
  }

  follow(name: string): void {
    this.followed.add(name);
    this.alone?.follow(name);
    this.crowd?.follow(name, this);
  }

  unfollow(name: string): void {
    this.followed.delete(name);
    this.alone?.unfollow(name);
    this.crowd?.unfollow(name, this);
  }

  /** The crowd's. */
  changed(name: string, claim: KnownClaim<Body> | undefined): void {
    this.out.changed(name, claim);
    this.parts.client.stirred();
  }

  /** The crowd's. */
  seen(name: string, revision: number): void {
    this.out.seen(name, revision);
    this.parts.client.stirred();
  }

  /** Nothing was told it since it lost the store. */
  private replayed(entries: readonly StoreEntry[]): boolean {
    const { alone, known, options, parts } = this;
    const before = new ClaimKnowledge(known, alone?.missing);
    const replay = parts.replays.of(entries, before, () => replayedClaims(entries, before.copy(), options, parts.read));
    if (alone === undefined || replay === undefined) return false;
    this.becomes(alone, replay);
    this.isSeen();
    return true;
  }

  private isSeen(): void {
    this.isWhole = true;
    this.join();
  }

  private becomes({ epochSeen }: ClaimReplica<Body>, { known, missing, epoch, claims, byHolder }: ClaimReplay<Body>): void {
    const { followed, options, out, parts, node, incarnation } = this;
    this.known = known.copy();
    this.alone = new ClaimReplica(options, out, {
      ...parts,
      known: this.known,
      missing: missing && { ...missing, until: monotonicMs(options.now() + PUT_BACK_MS_MAX) },
      epochSeen: Math.max(epochSeen, epoch),
      isCurrent: true,
    });
    for (const name of followed) this.alone.follow(name);
    const own = (byHolder.get(node) ?? []).filter(({ claim }) => claim?.record.holder.incarnation === incarnation);
    const concerned = new Set([...Array.from(followed, (name) => claims.get(name)).filter((claim) => claim !== undefined), ...own]);
    for (const { name, isTold, claim, revision } of [...concerned].sort((left, right) => left.place - right.place)) {
      if (isTold) out.changed(name, claim);
      out.seen(name, revision);
    }
    out.current();
  }

  /** Is told with the others from now on, if it knows the same. */
  private join(): void {
    const { alone, known, watch, parts, options, isWhole } = this;
    const group = watch?.joined?.group;
    if (alone === undefined || watch === undefined || group === undefined || !isWhole || !parts.client.isAwake) return;
    const present = group.crowd as Crowd<Body> | undefined;
    if (present?.knowledge.isLike(new ClaimKnowledge(known, alone.missing)) === false) return;
    const crowd = present ?? new Crowd(options, known.copy(), alone.missing, parts.read);
    this.before = { count: crowd.epochs.count, epoch: alone.epochSeen };
    this.alone = undefined;
    this.known = crowd.known;
    this.crowd = crowd;
    crowd.add(this);
    group.crowd = crowd;
    group.listeners.delete(watch);
  }

  /** Goes on by itself with what it knows. */
  private part(): void {
    const { crowd, options, out, watch, epochSeen } = this;
    if (crowd === undefined || watch === undefined) return;
    const group = watch.joined?.group;
    this.known = crowd.known.copy();
    const { missing } = crowd.knowledge;
    this.alone = new ClaimReplica(options, out, { ...this.parts, known: this.known, missing, epochSeen, isCurrent: true });
    for (const name of this.followed) this.alone.follow(name);
    crowd.delete(this);
    this.crowd = undefined;
    if (group === undefined) return;
    group.listeners.add(watch);
    if (crowd.isEmpty) group.crowd = undefined;
  }
}
