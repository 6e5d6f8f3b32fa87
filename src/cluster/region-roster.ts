import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { headroomOfLevel, memberMark, type RegionDigest } from './region-digest.ts';
import { headroomOf } from './routing.ts';

/** How many of a region are told apart by who comes first. */
export const RANK_MAX = 5;

/** A node as this one sees it, by its heartbeats or by its region's digests. */
export class MemberView implements NodeView {
  record: NodeRecord;
  heartbeat: Heartbeat | undefined = undefined;
  incarnation: number;
  isStale = false;
  clockOffsetMs: number | undefined = undefined;
  /** When this node itself last heard of it. */
  signAt: MonotonicMs;
  readonly roster: RegionRoster;
  /** Among the nodes of its region; set when the roster is in order. */
  place = 0;

  constructor(record: NodeRecord, roster: RegionRoster, now: MonotonicMs) {
    this.record = record;
    this.incarnation = record.incarnation;
    this.roster = roster;
    this.signAt = now;
  }

  get heardAt(): MonotonicMs {
    return this.isStale || this.heartbeat !== undefined ? this.signAt : monotonicMs(Math.max(this.signAt, this.roster.digestAt));
  }

  get headroom(): number | undefined {
    if (this.heartbeat !== undefined) return headroomOf(this.heartbeat);
    return headroomOfLevel(this.roster.levelAt(this));
  }
}

/** The nodes of one region, and what its last digest said. */
export class RegionRoster {
  readonly region: string;
  /** When the last digest came from another node; the beginning of time before the first. */
  digestAt: MonotonicMs;
  private readonly members: MemberView[] = [];
  private isSorted = true;
  private mark = 0;
  private levels = '';
  /** The last digest. */
  private last: RegionDigest | undefined = undefined;
  /** Who sent it, where that is looked up. */
  private speaker: MemberView | undefined = undefined;
  /** The ids of the first nodes that live, in order; undefined when something changed since. */
  private first: readonly string[] | undefined = undefined;
  /** The last list of stale places that was taken over in full; undefined when something changed since. */
  private applied: readonly number[] | undefined = undefined;

  constructor(region: string, now: MonotonicMs) {
    this.region = region;
    this.digestAt = now;
  }

  get size(): number {
    return this.members.length;
  }

  /** Of whom it speaks. */
  get roster(): number {
    return this.mark >>> 0;
  }

  add(view: MemberView): void {
    this.members.push(view);
    this.marked(view);
    this.isSorted = false;
  }

  remove(view: MemberView): void {
    const at = this.members.indexOf(view);
    if (at < 0) return;
    this.members.splice(at, 1);
    if (this.speaker === view) this.speaker = undefined;
    this.marked(view);
    this.isSorted = false;
  }

  /** Another record of a node that is in it. */
  replace(view: MemberView, record: NodeRecord): void {
    this.marked(view);
    view.record = record;
    this.marked(view);
  }

  /** In the order of their ids. */
  ordered(): readonly MemberView[] {
    if (!this.isSorted) {
      this.members.sort((left, right) => (left.record.id < right.record.id ? -1 : 1));
      this.members.forEach((view, place) => {
        view.place = place;
      });
      this.isSorted = true;
    }
    return this.members;
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
    for (const { record, isStale } of this.ordered()) {
      if (first.length >= RANK_MAX) break;
      if (!isStale) first.push(record.id);
    }
    return first;
  }

  /** The node that sent the last digest, `known` by its id. */
  speakerBy(known: ReadonlyMap<string, MemberView>): MemberView | undefined {
    if (this.speaker === undefined && this.last !== undefined) this.speaker = known.get(this.last.node);
    return this.speaker;
  }

  levelAt(view: MemberView): string | undefined {
    this.ordered();
    return this.levels[view.place];
  }

  /** What is known of its nodes is not what a digest said any more. */
  touched(): void {
    this.applied = undefined;
    this.first = undefined;
  }

  /** Whether it is newer than the last one, as far as that can be told: messages may come twice, or late. */
  accepts(digest: RegionDigest): boolean {
    const { last } = this;
    const { node, incarnation, count } = digest;
    if (last?.node === node && (incarnation < last.incarnation || (incarnation === last.incarnation && count <= last.count))) return false;
    if (last?.node !== node) this.speaker = undefined;
    this.last = digest;
    return true;
  }

  /** Calls `judged` for each node of which the digest says something else than is known; false from there is for not having taken it over. */
  apply(digest: RegionDigest, judged: (view: MemberView, isStale: boolean) => boolean): void {
    // Of other nodes, or of other runs of them: one of the two does not know of a change yet.
    if (digest.roster !== this.roster || digest.levels.length !== this.members.length) return;
    this.levels = digest.levels;
    if (this.applied !== undefined && isSame(digest.stale, this.applied)) return;
    const stale = new Set(digest.stale);
    let isComplete = true;
    for (const view of this.ordered()) {
      const isStale = stale.has(view.place);
      if (isStale !== view.isStale && !judged(view, isStale)) isComplete = false;
    }
    if (isComplete) this.applied = digest.stale;
  }

  private marked({ record }: MemberView): void {
    this.mark ^= memberMark(record.id, record.incarnation);
    this.levels = '';
    this.touched();
  }
}

const isSame = (left: readonly number[], right: readonly number[]): boolean =>
  left === right || (left.length === right.length && left.every((place, at) => place === right[at]));
