import { DIGESTS, type DigestHearer, type RegionDigest, type RegionNews, type RegionRoster, type RosterTable } from '../src/cluster/mod.ts';
import type { MonotonicMs } from '../src/core/mod.ts';
import type { HearingCrowd, Subscription } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import { SHARED_READER } from './shared-reader.ts';

/** What most of a crowd know of one region. */
interface Known {
  readonly table: RosterTable;
  readonly news: RegionNews;
  /** Members that know something else of it, and hear its digests by themselves. */
  readonly apart: Set<NodeDigests>;
}

/** Nodes that hear digests at the same moment: those that know the same of a region hear of it as one for as long as none of them has anything to do about it. */
class DigestCrowd implements HearingCrowd {
  private readonly known = new Map<string, Known>();
  private readonly members = new Map<string, NodeDigests>();
  private readonly now: () => MonotonicMs;
  /** When the last of them began to listen. */
  private newest = 0;

  constructor(now: () => MonotonicMs) {
    this.now = now;
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  add(member: NodeDigests): void {
    this.newest = Math.max(this.newest, member.since);
    this.members.set(member.id, member);
    for (const { apart } of this.known.values()) apart.add(member);
  }

  delete(member: NodeDigests): void {
    this.members.delete(member.id);
    for (const region of [...this.known.keys()]) this.settle(region, ({ apart }) => apart.delete(member));
  }

  /** What a member knows of a region from now on, with the others or as the first one; undefined: it knows something else. */
  share(member: NodeDigests, { region, table, news }: RegionRoster): Known | undefined {
    const present = this.known.get(region);
    if (present === undefined) {
      const known: Known = { table, news: news.copy(), apart: new Set(this.members.values()) };
      known.apart.delete(member);
      this.known.set(region, known);
      return known;
    }
    if (!present.news.isLike(news) || !present.table.isLike(table)) return undefined;
    present.apart.delete(member);
    return present;
  }

  /** A member knows something else of a region than the others. */
  part(member: NodeDigests, region: string): void {
    this.settle(region, ({ apart }) => apart.add(member));
  }

  heard(message: Uint8Array, upTo: number): void {
    const digest = SHARED_READER.digest(message);
    if (digest === undefined) return;
    const { region, node } = digest;
    // What it says itself is no news to a node.
    this.members.get(node)?.part(region);
    const known = this.known.get(region);
    if (known !== undefined && !this.isHeardAsOne(known, digest, upTo)) {
      for (const member of this.members.values()) if (!known.apart.has(member)) member.part(region);
    }
    for (const member of [...(known?.apart ?? this.members.values())]) if (member.since <= upTo) member.heard(message, region);
  }

  private isHeardAsOne({ news, table }: Known, digest: RegionDigest, upTo: number): boolean {
    if (upTo < this.newest) return false;
    if (!news.accepts(digest)) return true;
    if (news.isToBeJudged(digest, table)) return false;
    news.take(digest, this.now(), table);
    return true;
  }

  /** What nobody knows any more is forgotten. */
  private settle(region: string, change: (known: Known) => void): void {
    const known = this.known.get(region);
    if (known === undefined) return;
    change(known);
    if (known.apart.size === this.members.size) this.known.delete(region);
  }
}

/** Hears digests for one node: by itself, or with all that know the same. */
export class NodeDigests {
  private readonly hearer: DigestHearer;
  private readonly client: EngineClient;
  private readonly subscription: Subscription;
  private crowd: DigestCrowd | undefined = undefined;

  constructor(hearer: DigestHearer, client: EngineClient) {
    this.hearer = hearer;
    this.client = client;
    this.subscription = client.subscribe(
      DIGESTS,
      (_subject, message) => {
        hearer.heard(message);
        this.join();
      },
      () => this.leave(),
    );
  }

  get id(): string {
    return this.hearer.id;
  }

  /** When it began to listen. */
  get since(): number {
    return this.subscription.since;
  }

  end(): void {
    this.client.endSubscription(this.subscription);
  }

  /** The crowd's: a digest of a region of which it knows something else than the others. */
  heard(message: Uint8Array, region: string): void {
    const { crowd, hearer } = this;
    if (crowd === undefined || !hearer.isDeaf()) {
      // It hears it as any listener, which it is again.
      this.leave();
      return;
    }
    hearer.heard(message);
    const roster = hearer.rosters.get(region);
    if (roster !== undefined) this.share(crowd, roster);
  }

  /** Goes on by itself with what it knows of a region. */
  part(region: string): void {
    const roster = this.hearer.rosters.get(region);
    if (roster?.together !== this) return;
    roster.news = roster.news.copy();
    roster.together = undefined;
    this.crowd?.part(this, region);
  }

  /** Hears with the others from now on. */
  private join(): void {
    const { hearer, client, subscription } = this;
    const group = subscription.joined?.group;
    // Who hears heartbeats takes over nothing of its region, so that each digest would be news.
    if (group === undefined || !client.isAwake || !hearer.isDeaf()) return;
    const crowd = (group.crowd as DigestCrowd | undefined) ?? new DigestCrowd(() => client.now);
    this.crowd = crowd;
    crowd.add(this);
    for (const roster of hearer.rosters.values()) this.share(crowd, roster);
    group.crowd = crowd;
    group.listeners.delete(subscription);
  }

  /** Knows what the others know of a region, if that is the same. */
  private share(crowd: DigestCrowd, roster: RegionRoster): void {
    const known = crowd.share(this, roster);
    if (known === undefined) return;
    roster.share(known.table, known.news);
    roster.together = this;
  }

  /** Goes on by itself with what it knows. */
  private leave(): void {
    const { crowd, hearer, subscription } = this;
    if (crowd === undefined) return;
    for (const region of hearer.rosters.keys()) this.part(region);
    this.crowd = undefined;
    crowd.delete(this);
    const group = subscription.joined?.group;
    if (group === undefined) return;
    group.listeners.add(subscription);
    if (crowd.isEmpty) group.crowd = undefined;
  }
}
