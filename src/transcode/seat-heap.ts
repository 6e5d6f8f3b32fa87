import type { Seats } from './seats.ts';
import type { TaskState } from './task-state.ts';

/** Whether one node has more left than another; of two that have as much, the first by name. */
export const hasMoreLeft = (a: Seats, b: Seats): boolean => a.headroom > b.headroom || (a.headroom === b.headroom && a.order < b.order);

/** Nodes that suit any task equally well, as a binary heap: the one with the most left is found without a look at all of them. */
export class SeatHeap {
  private readonly heap: Seats[] = [];
  private readonly placeOf = new Map<Seats, number>();

  add(node: Seats): void {
    this.set(this.heap.length, node);
    this.changed(node);
  }

  /** Any of them; undefined when there are none. */
  get any(): Seats | undefined {
    return this.heap[0];
  }

  /** A node has more left than before, or less. */
  changed(node: Seats): void {
    this.sink(this.rise(this.placeOf.get(node) ?? 0, node), node);
  }

  /** The one with the most left of those that have room for a task. */
  bestFor(state: TaskState): Seats | undefined {
    return this.bestBelow(0, state, undefined);
  }

  private bestBelow(place: number, state: TaskState, best: Seats | undefined): Seats | undefined {
    const node = this.heap[place];
    if (node === undefined || (best !== undefined && !hasMoreLeft(node, best))) return best;
    // All below have less left than this one.
    if (node.fits(state)) return node;
    return this.bestBelow(2 * place + 2, state, this.bestBelow(2 * place + 1, state, best));
  }

  private rise(place: number, node: Seats): number {
    let at = place;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.heap[above];
      if (other === undefined || !hasMoreLeft(node, other)) break;
      this.set(at, other);
      at = above;
    }
    this.set(at, node);
    return at;
  }

  private sink(place: number, node: Seats): void {
    let at = place;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [this.heap[below], this.heap[below + 1]];
      if (left === undefined) break;
      const larger = right !== undefined && hasMoreLeft(right, left) ? right : left;
      if (!hasMoreLeft(larger, node)) break;
      if (larger === right) below++;
      this.set(at, larger);
      at = below;
    }
    this.set(at, node);
  }

  private set(place: number, node: Seats): void {
    this.heap[place] = node;
    this.placeOf.set(node, place);
  }
}
