import type { MonotonicMs } from '../core/mod.ts';
import { PUT_BACK_MS_MAX } from './put-back.ts';
import type { ReplicaMap } from './replica-map.ts';

/**
 * Which nodes' records the store has told since it was out of reach. What it has not told is gone; but if it has lost this node's own record,
 * too, it has lost everything, and each node that lives puts its own back: until then the others stay what they were.
 */
export class ToldRecords {
  /** Of the known ones; undefined: nothing was missing the last time. Nodes that are told the same may have the same set. */
  since: Set<string> | undefined = new Set();
  /** Whether all that the store had was told since it was out of reach. */
  private isCurrent = false;
  private keptUntil = 0;

  /** A node that is known by now. */
  add(id: string): void {
    this.since?.add(id);
  }

  /** One that is forgotten. */
  delete(id: string): void {
    this.since?.delete(id);
  }

  /** The store is out of reach. */
  lost(): void {
    this.since = new Set();
    this.isCurrent = false;
  }

  /** All that the store has was told. False where that is nothing new. */
  current(ownId: string, now: MonotonicMs): boolean {
    if (this.since === undefined || this.isCurrent) return false;
    this.isCurrent = true;
    if (!this.since.has(ownId)) this.keptUntil = now + PUT_BACK_MS_MAX;
    return true;
  }

  has(id: string): boolean {
    return this.since?.has(id) ?? true;
  }

  /** Those of `known` that are gone by now; to be asked again, as that may take its time. */
  gone(known: Pick<ReplicaMap<object>, 'size' | 'keys'>, now: MonotonicMs): readonly string[] {
    const { since } = this;
    if (since === undefined || !this.isCurrent || now < this.keptUntil) return [];
    this.since = undefined;
    const gone: string[] = [];
    if (since.size === known.size) return gone;
    for (const id of known.keys()) if (!since.has(id)) gone.push(id);
    return gone;
  }
}
