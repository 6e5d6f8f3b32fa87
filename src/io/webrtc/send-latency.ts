import { type HistogramValue, LatencyHistogram } from '../latency-histogram.ts';
import { LatencyRing } from '../latency-ring.ts';
import type { GroupStats } from './kernel.ts';

/** Frames under way; of more than these only the first are measured. */
const PENDING_MAX = 64;

/** Told of each frame how long it took, in ms. */
export type Delivered = (latencyMs: number) => void;

interface GroupLatency {
  /** Where frames end that not all viewers have yet, and when they came. */
  readonly pending: { readonly endIndex: number; readonly sinceMs: number }[];
  headIndex: number;
}

/** How long frames take from their place in a history to the last viewer who keeps up with it. */
export class SendLatency {
  private readonly groups = new Map<number, GroupLatency>();
  private readonly ring = new LatencyRing();
  private readonly histogram = new LatencyHistogram();

  /** A group was pumped from `startMs` to `endMs`, in ms of one clock; what is new in it came just before. */
  pumped(group: number, { headIndex, reachedIndex, flows }: GroupStats, startMs: number, endMs: number, delivered?: Delivered): void {
    const state = this.groups.get(group) ?? { pending: [], headIndex: 0 };
    this.groups.set(group, state);
    const { pending } = state;
    if (headIndex > state.headIndex && flows > 0 && pending.length < PENDING_MAX) pending.push({ endIndex: headIndex, sinceMs: startMs });
    state.headIndex = headIndex;
    for (let first = pending[0]; first !== undefined && first.endIndex <= reachedIndex; first = pending[0]) {
      this.ring.add(endMs - first.sinceMs);
      this.histogram.add(endMs - first.sinceMs);
      delivered?.(endMs - first.sinceMs);
      pending.shift();
    }
  }

  forget(group: number): void {
    this.groups.delete(group);
  }

  /** Of the last 512 frames, whichever groups they were of; 0 before anything was sent. */
  quantile(share: number): number {
    return this.ring.quantile(share);
  }

  /** Of all frames since the start. */
  value(): HistogramValue {
    return this.histogram.value();
  }
}
