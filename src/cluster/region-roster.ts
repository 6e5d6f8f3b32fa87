import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { headroomOfLevel, type RegionDigest } from './region-digest.ts';
import type { RosterTable } from './roster-table.ts';
import { headroomOf } from './routing.ts';

/** How many of a region are told apart by who comes first. */
export const RANK_MAX = 5;

/** A node as this one sees it, by its heartbeats or by its region's digests. */
export class MemberView implements NodeView {
  record: NodeRecord;
  heartbeat: Heartbeat | undefined = undefined;
  incarnation: number;
  isStale = false;
  /** As its own heartbeats say it. */
  heardOffsetMs: number | undefined = undefined;
  /** When this node itself last heard of it. */
  signAt: MonotonicMs;
  readonly roster: RegionRoster;

  constructor(record: NodeRecord, roster: RegionRoster, signAt: MonotonicMs) {
    this.record = record;
    this.incarnation = record.incarnation;
    this.roster = roster;
    this.signAt = signAt;
  }

  get heardAt(): MonotonicMs {
    return this.isStale || this.heartbeat !== undefined ? this.signAt : monotonicMs(Math.max(this.signAt, this.roster.digestAt));
  }

  get clockOffsetMs(): number | undefined {
    const { roster, record } = this;
    return roster.speaker === record.id && this.heartbeat === undefined ? roster.clockOffsetMs : this.heardOffsetMs;
  }

  get headroom(): number | undefined {
    if (this.heartbeat !== undefined) return headroomOf(this.heartbeat);
    return headroomOfLevel(this.roster.levelOf(this.record.id));
  }
}

/** The nodes of one region, and what its last digest said. Of a node of which nothing but its record is known, there is a view only when somebody looks. */
export class RegionRoster {
  readonly region: string;
  /** When the last digest came from another node; the beginning of time before the first. */
  digestAt: MonotonicMs;
  /** Of the node that sent it. */
  clockOffsetMs: number | undefined = undefined;
  /** How often who belongs to it, or lives, has changed. */
  changes = 0;
  private table: RosterTable;
  /** When this node heard of each of them by its record, in the table's order. */
  private readonly signs: MonotonicMs[] = [];
  /** Of the nodes of all regions, by id. */
  private readonly views: Map<string, MemberView>;
  private members: readonly MemberView[] | undefined = undefined;
  private levels = '';
  /** The last digest. */
  private last: RegionDigest | undefined = undefined;
  /** The ids of the first nodes that live, in order; undefined when something changed since. */
  private first: readonly string[] | undefined = undefined;
  /** The last list of stale places that was taken over in full; undefined when something changed since. */
  private applied: readonly number[] | undefined = undefined;

  /** `table`: an empty one. */
  constructor(region: string, now: MonotonicMs, table: RosterTable, views: Map<string, MemberView>) {
    this.region = region;
    this.digestAt = now;
    this.table = table;
    this.views = views;
  }

  get size(): number {
    return this.table.records.length;
  }

  /** Of whom it speaks. */
  get roster(): number {
    return this.table.mark >>> 0;
  }

  add(record: NodeRecord, now: MonotonicMs): void {
    this.signs.splice(~this.table.placeOf(record.id), 0, now);
    this.becomes(this.table.with(record));
    this.members = undefined;
  }

  remove(id: string): void {
    const place = this.table.placeOf(id);
    if (place < 0) return;
    this.signs.splice(place, 1);
    this.views.delete(id);
    this.becomes(this.table.without(id));
    this.members = undefined;
  }

  /** Another record of a node that is in it. */
  replace(record: NodeRecord): void {
    const view = this.views.get(record.id);
    if (view !== undefined) view.record = record;
    this.becomes(this.table.with(record));
  }

  /** A new process of a node has written its record. */
  begun(id: string, now: MonotonicMs): void {
    this.signs[this.table.placeOf(id)] = now;
  }

  /** Of a node that is in it. */
  view(id: string): MemberView | undefined {
    return this.views.get(id) ?? this.makeView(this.table.placeOf(id));
  }

  /** In the order of their ids. */
  ordered(): readonly MemberView[] {
    this.members ??= this.table.records.map(({ id }) => this.view(id)).filter((view) => view !== undefined);
    return this.members;
  }

  private makeView(place: number): MemberView | undefined {
    const record = this.table.records[place];
    if (record === undefined) return undefined;
    const view = new MemberView(record, this, this.signs[place] ?? this.digestAt);
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
    for (const { id } of this.table.records) {
      if (first.length >= RANK_MAX) break;
      if (this.views.get(id)?.isStale !== true) first.push(id);
    }
    return first;
  }

  /** The node that sent the last digest. */
  get speaker(): string | undefined {
    return this.last?.node;
  }

  levelOf(id: string): string | undefined {
    return this.levels[this.table.placeOf(id)];
  }

  /** What is known of its nodes is not what a digest said any more. */
  touched(): void {
    this.applied = undefined;
    this.first = undefined;
    this.changes += 1;
  }

  /** Whether it is newer than the last one, as far as that can be told: messages may come twice, or late. */
  accepts(digest: RegionDigest): boolean {
    const { last } = this;
    const { node, incarnation, count } = digest;
    if (last?.node === node && (incarnation < last.incarnation || (incarnation === last.incarnation && count <= last.count))) return false;
    this.last = digest;
    return true;
  }

  /** Calls `judged` for each node of which the digest says something else than is known; false from there is for not having taken it over. */
  apply(digest: RegionDigest, judged: (view: MemberView, isStale: boolean) => boolean): void {
    // Of other nodes, or of other runs of them: one of the two does not know of a change yet.
    if (digest.roster !== this.roster || digest.levels.length !== this.size) return;
    this.levels = digest.levels;
    if (this.applied !== undefined && isSame(digest.stale, this.applied)) return;
    const stale = new Set(digest.stale);
    let isComplete = true;
    for (const [place, { id }] of this.table.records.entries()) {
      const isStale = stale.has(place);
      const view = isStale ? this.view(id) : this.views.get(id);
      if (view !== undefined && view.isStale !== isStale && !judged(view, isStale)) isComplete = false;
    }
    if (isComplete) this.applied = digest.stale;
  }

  private becomes(table: RosterTable): void {
    this.table = table;
    this.levels = '';
    this.touched();
  }
}

const isSame = (left: readonly number[], right: readonly number[]): boolean =>
  left === right || (left.length === right.length && left.every((place, at) => place === right[at]));
