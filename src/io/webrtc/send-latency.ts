import { LatencyRing } from '../latency-ring.ts';
import type { GroupStats } from './kernel.ts';

/** Frames under way; of more than these only the first are measured. */
const PENDING_MAX = 64;

interface GroupLatency {
  readonly ring: LatencyRing;
  /** Where frames end that not all viewers have yet, and when they came. */
  readonly pending: { readonly endIndex: number; readonly sinceMs: number }[];
  headIndex: number;
}

/** How long frames take from their place in a history to the last viewer who keeps up with it. */
export class SendLatency {
  private readonly groups = new Map<number, GroupLatency>();

  /** A group was pumped from `startMs` to `endMs`, in ms of one clock; what is new in it came just before. */
  pumped(group: number, { headIndex, reachedIndex, flows }: GroupStats, startMs: number, endMs: number): void {
    const state = this.groups.get(group) ?? { ring: new LatencyRing(), pending: [], headIndex: 0 };
    this.groups.set(group, state);
    const { pending, ring } = state;
    if (headIndex > state.headIndex && flows > 0 && pending.length < PENDING_MAX) pending.push({ endIndex: headIndex, sinceMs: startMs });
    state.headIndex = headIndex;
    for (let first = pending[0]; first !== undefined && first.endIndex <= reachedIndex; first = pending[0]) {
      ring.add(endMs - first.sinceMs);
      pending.shift();
    }
  }

  forget(group: number): void {
    this.groups.delete(group);
  }

  /** Of the slowest group; 0 before anything was sent. */
  quantile(share: number): number {
    return Math.max(0, ...[...this.groups.values()].map(({ ring }) => ring.quantile(share)));
  }
}
