import type { MonotonicMs } from '../core/mod.ts';
import type { RegionDigest } from './region-digest.ts';
import type { RosterTable } from './roster-table.ts';

/** What digests said of one region: to one node, or to many that hear and know the same. */
export class RegionNews {
  private takenAt: MonotonicMs;
  private lastTaken: RegionDigest | undefined = undefined;
  private lastLevels = '';
  /** The last list of stale places that was taken over in full; undefined when something changed since. */
  private applied: readonly number[] | undefined = undefined;

  constructor(now: MonotonicMs) {
    this.takenAt = now;
  }

  /** When the last digest came from another node; the beginning of time before the first. */
  get at(): MonotonicMs {
    return this.takenAt;
  }

  /** That digest. */
  get last(): RegionDigest | undefined {
    return this.lastTaken;
  }

  /** How busy the nodes of the present table are, by the last digest that spoke of these; empty before it. */
  get levels(): string {
    return this.lastLevels;
  }

  /** Another one with the same in it. */
  copy(): RegionNews {
    const copy = new RegionNews(this.takenAt);
    copy.lastTaken = this.lastTaken;
    copy.lastLevels = this.lastLevels;
    copy.applied = this.applied;
    return copy;
  }

  /** Whether whatever is heard next leads to the same in both. */
  isLike(other: RegionNews): boolean {
    const { applied } = this;
    const isSameApplied =
      applied === undefined ? other.applied === undefined : other.applied !== undefined && isSame(applied, other.applied);
    const isSameDigest = this.takenAt === other.takenAt && this.lastTaken === other.lastTaken && this.lastLevels === other.lastLevels;
    return isSameDigest && isSameApplied;
  }

  /** Whether a digest is newer than the last one, as far as that can be told: messages may come twice, or late. */
  accepts({ node, incarnation, count }: RegionDigest): boolean {
    const { lastTaken: last } = this;
    return last?.node !== node || incarnation > last.incarnation || (incarnation === last.incarnation && count > last.count);
  }

  /** Whether a digest names other stale nodes of this table than are known. */
  isToBeJudged(digest: RegionDigest, table: RosterTable): boolean {
    return isOf(digest, table) && (this.applied === undefined || !isSame(digest.stale, this.applied));
  }

  take(digest: RegionDigest, now: MonotonicMs, table: RosterTable): void {
    this.takenAt = now;
    this.lastTaken = digest;
    if (isOf(digest, table)) this.lastLevels = digest.levels;
  }

  /** What the digest says of who is stale, is known. */
  judged(digest: RegionDigest): void {
    this.applied = digest.stale;
  }

  /** What is known of its nodes is not what a digest said any more. */
  touched(): void {
    this.applied = undefined;
  }

  /** The table is another one. */
  tableChanged(): void {
    this.lastLevels = '';
    this.applied = undefined;
  }
}

/** Otherwise it speaks of other nodes, or of other runs of them: one of the two does not know of a change yet. */
const isOf = ({ roster, levels }: RegionDigest, { mark, records }: RosterTable): boolean =>
  roster === mark >>> 0 && levels.length === records.length;

const isSame = (left: readonly number[], right: readonly number[]): boolean =>
  left === right || (left.length === right.length && left.every((place, at) => place === right[at]));
