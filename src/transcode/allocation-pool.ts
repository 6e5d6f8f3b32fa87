import type { PlacedReason, PoolNode } from './cluster-task.ts';
import { hasMoreLeft, SeatHeap } from './seat-heap.ts';
import { Seats } from './seats.ts';
import type { TaskState } from './task-state.ts';

/** The nodes of an allocation, with what is left of them. */
export class Pool {
  /** Of the active nodes. */
  readonly tasksMax: number;
  private readonly byId: ReadonlyMap<string, Seats>;
  /** The active nodes, together with those in the same region that have the same hardware. */
  private readonly groups = new Map<string, SeatHeap>();
  private readonly groupOf = new Map<Seats, SeatHeap>();
  /** Tasks that are left on active nodes. */
  private left = 0;

  constructor(nodes: readonly PoolNode[]) {
    const seats = nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((node, order) => new Seats(node, order));
    this.byId = new Map(seats.map((node) => [node.id, node]));
    for (const node of seats) {
      if (node.state !== 'active' || node.left <= 0) continue;
      this.left += node.left;
      const key = JSON.stringify([node.region, [...(node.hardwareCodecs ?? [])].sort()]);
      const group = this.groups.get(key) ?? new SeatHeap();
      this.groups.set(key, group);
      this.groupOf.set(node, group);
      group.add(node);
    }
    this.tasksMax = this.left;
  }

  /** Whether nobody takes anything. */
  get isEmpty(): boolean {
    return this.groups.size === 0;
  }

  node(id: string): Seats | undefined {
    return this.byId.get(id);
  }

  /** The node that a task is pinned to, if that takes tasks. */
  pinnedNode({ isPinned, pinnedTo }: TaskState): Seats | undefined {
    const node = isPinned && pinnedTo !== undefined ? this.byId.get(pinnedTo) : undefined;
    return node?.state === 'active' ? node : undefined;
  }

  put(state: TaskState, node: Seats, reason: PlacedReason): void {
    state.node = node;
    state.reason = reason;
    this.change(state, node, 1);
  }

  take(state: TaskState): void {
    const { node } = state;
    if (node === undefined) return;
    state.node = undefined;
    state.reason = undefined;
    this.change(state, node, -1);
  }

  /** The node that is best for a task, of those that have room for it: one that decodes the stream already, if there is any. */
  roomFor(state: TaskState): Seats | undefined {
    if (this.left <= 0) return undefined;
    let best: Seats | undefined;
    for (const { node } of state.stream.tasks) if (node?.state === 'active' && node.fits(state)) best = better(node, best, state);
    if (best !== undefined) return best;
    for (const group of this.groups.values()) {
      // Where the best suit better already, nobody of this group is asked.
      if (best !== undefined && (group.any?.suits(state) ?? 0) < best.suits(state)) continue;
      const node = group.bestFor(state);
      if (node !== undefined) best = better(node, best, state);
    }
    return best;
  }

  private change(state: TaskState, node: Seats, sign: 1 | -1): void {
    node.add(state, sign);
    if (node.state === 'active') this.left -= sign;
    this.groupOf.get(node)?.changed(node);
  }
}

/** The one that suits better, then the one with the most left. */
function better(node: Seats, other: Seats | undefined, state: TaskState): Seats {
  if (other === undefined) return node;
  const difference = node.suits(state) - other.suits(state);
  return difference > 0 || (difference === 0 && hasMoreLeft(node, other)) ? node : other;
}
