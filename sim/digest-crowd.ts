import { DIGESTS, type DigestHearer, type RegionNews, type RegionRoster, type RosterTable } from '../src/cluster/mod.ts';
import type { MonotonicMs } from '../src/core/mod.ts';
import type { HearingCrowd, Subscription } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import { SHARED_READER } from './shared-reader.ts';

/** What all of a crowd know of one region. */
interface Known {
  readonly table: RosterTable;
  readonly news: RegionNews;
}

/** Nodes that hear digests at the same moment and know the same of all regions: they hear as one for as long as none of them has anything to do about it. */
class DigestCrowd implements HearingCrowd {
  private readonly known: ReadonlyMap<string, Known>;
  private readonly members = new Map<string, NodeDigests>();
  private readonly now: () => MonotonicMs;
  /** When the last of them began to listen. */
  private newest = 0;

  /** Of a first member that knows this much. */
  constructor(rosters: ReadonlyMap<string, RegionRoster>, now: () => MonotonicMs) {
    this.now = now;
    this.known = new Map(Array.from(rosters, ([region, { table, news }]) => [region, { table, news: news.copy() }]));
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  /** Whether a node knows the same. */
  isLike(rosters: ReadonlyMap<string, RegionRoster>): boolean {
    if (rosters.size !== this.known.size) return false;
    for (const [region, { table, news }] of rosters) {
      const known = this.known.get(region);
      if (known === undefined || !known.news.isLike(news) || !known.table.isLike(table)) return false;
    }
    return true;
  }

  of(region: string): Known | undefined {
    return this.known.get(region);
  }

  add(member: NodeDigests, since: number): void {
    this.members.set(member.id, member);
    this.newest = Math.max(this.newest, since);
  }

  delete(member: NodeDigests): void {
    this.members.delete(member.id);
  }

  heard(message: Uint8Array, upTo: number): void {
    const digest = SHARED_READER.digest(message);
    if (digest === undefined) return;
    const known = this.known.get(digest.region);
    // What it says itself is no news to a node.
    this.members.get(digest.node)?.part();
    if (known !== undefined && upTo >= this.newest) {
      const { news, table } = known;
      if (!news.accepts(digest)) return;
      if (!news.isToBeJudged(digest, table)) {
        news.take(digest, this.now(), table);
        return;
      }
    }
    for (const member of [...this.members.values()]) member.part();
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
      () => this.part(),
    );
  }

  get id(): string {
    return this.hearer.id;
  }

  end(): void {
    this.client.endSubscription(this.subscription);
  }

  /** Hears with the others from now on, if it knows the same. */
  private join(): void {
    const { hearer, client, subscription } = this;
    const { rosters } = hearer;
    const group = subscription.joined?.group;
    // Who hears heartbeats takes over nothing of its region, so that each digest would be news.
    if (group === undefined || !client.isAwake || !hearer.isDeaf()) return;
    const present = group.crowd as DigestCrowd | undefined;
    if (present?.isLike(rosters) === false) return;
    const crowd = present ?? new DigestCrowd(rosters, () => client.now);
    for (const [region, roster] of rosters) {
      const known = crowd.of(region);
      if (known !== undefined) roster.share(known.table, known.news);
      roster.together = this;
    }
    this.crowd = crowd;
    crowd.add(this, subscription.since);
    group.crowd = crowd;
    group.listeners.delete(subscription);
  }

  /** Goes on by itself with what it knows. */
  part(): void {
    const { crowd, hearer, subscription } = this;
    if (crowd === undefined) return;
    for (const roster of hearer.rosters.values()) {
      if (roster.together !== this) continue;
      roster.news = roster.news.copy();
      roster.together = undefined;
    }
    this.crowd = undefined;
    crowd.delete(this);
    const group = subscription.joined?.group;
    if (group === undefined) return;
    group.listeners.add(subscription);
    if (crowd.isEmpty) group.crowd = undefined;
  }
}
