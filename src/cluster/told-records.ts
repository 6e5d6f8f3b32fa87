import type { MonotonicMs } from '../core/mod.ts';
import type { ReplicaMap } from './replica-map.ts';

/** Nodes that live put their records back within seconds into a store that has lost them; those of others are gone after so long. */
const LOST_STORE_MS = 10_000;

/**
 * Which nodes' records the store has told since it was out of reach. What it has not told is gone; but if it has lost this node's own record,
 * too, it has lost everything, and each node that lives puts its own back: until then the others stay what they were.
 */
export class ToldRecords {
  /** Of the known ones; undefined: nothing was missing the last time. */
  private told: Set<string> | undefined = new Set();
  /** Whether all that the store had was told since it was out of reach. */
  private isCurrent = false;
  private keptUntil = 0;

  /** A node that is known by now. */
  add(id: string): void {
    this.told?.add(id);
  }

  /** One that is forgotten. */
  delete(id: string): void {
    this.told?.delete(id);
  }

  /** The store is out of reach. */
  lost(): void {
    this.told = new Set();
    this.isCurrent = false;
  }

  /** All that the store has was told. False where that is nothing new. */
  current(ownId: string, now: MonotonicMs): boolean {
    if (this.told === undefined || this.isCurrent) return false;
    this.isCurrent = true;
    if (!this.told.has(ownId)) this.keptUntil = now + LOST_STORE_MS;
    return true;
  }

  has(id: string): boolean {
    return this.told?.has(id) ?? true;
  }

  /** Those of `known` that are gone by now; to be asked again, as that may take its time. */
  gone(known: Pick<ReplicaMap<object>, 'size' | 'keys'>, now: MonotonicMs): readonly string[] {
    const { told } = this;
    if (told === undefined || !this.isCurrent || now < this.keptUntil) return [];
    this.told = undefined;
    return told.size === known.size ? [] : [...known.keys()].filter((id) => !told.has(id));
  }
}
