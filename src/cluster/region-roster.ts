import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { headroomOfLevel, memberMark, type RegionDigest } from './region-digest.ts';
import { headroomOf } from './routing.ts';

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
  private speaker: { readonly node: string; readonly incarnation: number; readonly count: number } | undefined = undefined;
  /** The last list of stale places that was taken over in full; undefined when something changed since. */
  private applied: string | undefined = undefined;

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

  /** How many nodes that live come before this one; not counted past `rankMax`. */
  rankOf(id: string, rankMax: number): number {
    let rank = 0;
    for (const { record, isStale } of this.ordered()) {
      if (record.id >= id || rank >= rankMax) break;
      if (!isStale) rank += 1;
    }
    return rank;
  }

  levelAt(view: MemberView): string | undefined {
    this.ordered();
    return this.levels[view.place];
  }

  /** What is known of its nodes is not what a digest said any more. */
  touched(): void {
    this.applied = undefined;
  }

  /** Whether it is newer than the last one, as far as that can be told: messages may come twice, or late. */
  accepts({ node, incarnation, count }: RegionDigest): boolean {
    const { speaker } = this;
    if (speaker?.node === node && (incarnation < speaker.incarnation || (incarnation === speaker.incarnation && count <= speaker.count)))
      return false;
    this.speaker = { node, incarnation, count };
    return true;
  }

  /** Calls `judged` for each node of which the digest says something else than is known; false from there is for not having taken it over. */
  apply(digest: RegionDigest, judged: (view: MemberView, isStale: boolean) => boolean): void {
    // Of other nodes, or of other runs of them: one of the two does not know of a change yet.
    if (digest.roster !== this.roster || digest.levels.length !== this.members.length) return;
    this.levels = digest.levels;
    const said = digest.stale.join();
    if (said === this.applied) return;
    const stale = new Set(digest.stale);
    let isComplete = true;
    for (const view of this.ordered()) {
      const isStale = stale.has(view.place);
      if (isStale !== view.isStale && !judged(view, isStale)) isComplete = false;
    }
    if (isComplete) this.applied = said;
  }

  private marked({ record }: MemberView): void {
    this.mark ^= memberMark(record.id, record.incarnation);
    this.levels = '';
    this.applied = undefined;
  }
}
