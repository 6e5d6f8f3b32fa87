import { type MonotonicMs, monotonicMs, type WallMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { RecordSigns } from './record-signs.ts';
import { headroomOfLevel, type RegionDigest } from './region-digest.ts';
import { RegionNews } from './region-news.ts';
import type { RosterTable } from './roster-table.ts';
import { headroomOf } from './routing.ts';

/** How many of a region are told apart by who comes first. */
export const RANK_MAX = 5;

/** A node as this one sees it, by its heartbeats or by its region's digests. */
export class MemberView implements NodeView {
  record: NodeRecord;
  heartbeat: Heartbeat | undefined = undefined;
  incarnation: number;
  /** When this node itself last heard of it. */
  signAt: MonotonicMs;
  readonly roster: RegionRoster;
  private stale = false;

  constructor(record: NodeRecord, roster: RegionRoster, signAt: MonotonicMs) {
    this.record = record;
    this.incarnation = record.incarnation;
    this.roster = roster;
    this.signAt = signAt;
  }

  get isStale(): boolean {
    return this.stale;
  }

  set isStale(isStale: boolean) {
    this.stale = isStale;
    this.roster.becameStale(this, isStale);
  }

  get heardAt(): MonotonicMs {
    return this.isStale || this.heartbeat !== undefined ? this.signAt : monotonicMs(Math.max(this.signAt, this.roster.digestAt));
  }

  get clockOffsetMs(): number | undefined {
    const { roster, record, heardOffsetMs } = this;
    return heardOffsetMs ?? (roster.speaker === record.id ? roster.clockOffsetMs : undefined);
  }

  /** As its own heartbeats say it. */
  get heardOffsetMs(): number | undefined {
    return this.heartbeat === undefined ? undefined : this.roster.clockOffset(this.heartbeat.sentMs, this.signAt);
  }

  get headroom(): number | undefined {
    if (this.heartbeat !== undefined) return headroomOf(this.heartbeat);
    return headroomOfLevel(this.roster.levelOf(this.record.id));
  }
}

export interface RosterClock {
  monotonic(): MonotonicMs;
  wall(): WallMs;
}

/** The nodes of one region, and what its last digest said. Of a node of which nothing but its record is known, there is a view only when somebody looks. */
export class RegionRoster {
  readonly region: string;
  /** What digests said. */
  news: RegionNews;
  /** Where that is shared among nodes: to be left before this one knows anything by itself. */
  together: { part(region: string): void } | undefined = undefined;
  /** How often who belongs to it, or lives, has changed. */
  changes = 0;
  private readonly clock: RosterClock;
  private present: RosterTable;
  private readonly signs = new RecordSigns();
  /** Of the nodes of all regions, by id. */
  private readonly views: Map<string, MemberView>;
  /** Those of its nodes that are stale. */
  private readonly stale = new Set<MemberView>();
  private members: readonly MemberView[] | undefined = undefined;
  /** The ids of the first nodes that live, in order; undefined when something changed since. */
  private first: readonly string[] | undefined = undefined;

  /** `table`: an empty one. */
  constructor(region: string, clock: RosterClock, table: RosterTable, views: Map<string, MemberView>) {
    this.region = region;
    this.clock = clock;
    this.news = new RegionNews(clock.monotonic());
    this.present = table;
    this.views = views;
  }

  get table(): RosterTable {
    return this.present;
  }

  /** When the last digest came from another node; the beginning of time before the first. */
  get digestAt(): MonotonicMs {
    return this.news.at;
  }

  /** Of the node that sent it. */
  get clockOffsetMs(): number | undefined {
    const { last, at } = this.news;
    return last === undefined ? undefined : this.clockOffset(last.sentMs, at);
  }

  /** By how much a clock is ahead of this node's that showed `sentMs` when a message came. */
  clockOffset(sentMs: number, cameAt: MonotonicMs): number {
    return sentMs - this.clock.wall() + this.clock.monotonic() - cameAt;
  }

  get size(): number {
    return this.present.records.length;
  }

  /** Of whom it speaks. */
  get roster(): number {
    return this.present.mark >>> 0;
  }

  /** Goes on with what others have, who know the same. */
  share(table: RosterTable, news: RegionNews): void {
    this.present = table;
    this.news = news;
  }

  add(record: NodeRecord): void {
    this.becomes(this.present.with(record));
    this.members = undefined;
  }

  remove(id: string): void {
    if (this.present.placeOf(id) < 0) return;
    const view = this.views.get(id);
    if (view !== undefined) this.release(view);
    this.becomes(this.present.without(id));
    this.members = undefined;
  }

  /** Nothing is known of a node any more but its record. */
  release(view: MemberView): void {
    this.stale.delete(view);
    this.views.delete(view.record.id);
    this.members = undefined;
  }

  /** Another record of a node that is in it. */
  replace(record: NodeRecord): void {
    const view = this.views.get(record.id);
    if (view !== undefined) view.record = record;
    this.becomes(this.present.with(record));
  }

  /** Of a node that is in it. */
  view(id: string): MemberView | undefined {
    return this.views.get(id) ?? this.makeView(this.present.placeOf(id));
  }

  /** In the order of their ids. */
  ordered(): readonly MemberView[] {
    this.members ??= this.present.records.map(({ id }) => this.view(id)).filter((view) => view !== undefined);
    return this.members;
  }

  private makeView(place: number): MemberView | undefined {
    const record = this.present.records[place];
    if (record === undefined) return undefined;
    const view = new MemberView(record, this, this.signs.of(record));
    this.views.set(record.id, view);
    return view;
  }

  /** How many nodes that live come before this one; not counted past {@link RANK_MAX}. */
  rankOf(id: string): number {
    this.first ??= this.firstLiving();
    let rank = 0;
    for (const other of this.first) {
      if (other >= id) break;
      rank += 1;
    }
    return rank;
  }

  private firstLiving(): readonly string[] {
    const first: string[] = [];
    for (const { id } of this.present.records) {
      if (first.length >= RANK_MAX) break;
      if (this.views.get(id)?.isStale !== true) first.push(id);
    }
    return first;
  }

  /** The node that sent the last digest. */
  get speaker(): string | undefined {
    return this.news.last?.node;
  }

  levelOf(id: string): string | undefined {
    return this.news.levels[this.present.placeOf(id)];
  }

  /** What is known of its nodes is not what a digest said any more. */
  touched(): void {
    this.together?.part(this.region);
    this.news.touched();
    this.first = undefined;
    this.changes += 1;
  }

  /** The view's: for it alone to call. */
  becameStale(view: MemberView, isStale: boolean): void {
    if (isStale) this.stale.add(view);
    else this.stale.delete(view);
  }

  /** Calls `judged` for each node of which a digest that was taken says something else than is known; false from there is for not having taken that over. */
  judge(digest: RegionDigest, judged: (view: MemberView, isStale: boolean) => boolean): void {
    const { stale, present } = this;
    const named = new Set(digest.stale.map((place) => this.view(present.records[place]?.id ?? '')).filter((view) => view !== undefined));
    const others = [...stale].filter((view) => !named.has(view));
    let isComplete = true;
    for (const view of named) if (!view.isStale && !judged(view, true)) isComplete = false;
    for (const view of others) if (!judged(view, false)) isComplete = false;
    if (isComplete) this.news.judged(digest);
  }

  private becomes(table: RosterTable): void {
    this.touched();
    this.signs.changes(this.present.records, this.clock.monotonic());
    this.present = table;
    this.news.tableChanged();
  }
}
