import { PUMP_INTERVAL_MS } from '../../protocols/rtp/mod.ts';
import type { HistogramValue } from '../latency-histogram.ts';
import type { Kernel } from './kernel.ts';
import { type Delivered, SendLatency } from './send-latency.ts';

/**
 * Sends what is in the kernel's groups: at once when something new comes, and each 5 ms as long as some flow is behind (a keyframe that is
 * paced, a newcomer that catches up). A pump that takes longer than that itself is followed by the next one as soon as the loop has had a turn. A group
 * whose socket takes no more waits until it does.
 */
export class GroupPump {
  private readonly kernel: Kernel;
  private readonly behind = new Set<number>();
  private readonly blocked = new Set<number>();
  private readonly sent = new SendLatency();
  private readonly watchers = new Map<number, Delivered>();
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** From now on, until the group is forgotten, `delivered` is told how long its frames take. */
  watch(group: number, delivered: Delivered): void {
    this.watchers.set(group, delivered);
  }

  pump(group: number): void {
    const startMs = performance.now();
    const { behind, isBlocked } = this.kernel.pump(group);
    // What waits for a full socket has not been sent.
    if (!isBlocked) this.sent.pumped(group, this.kernel.groupStats(group), startMs, performance.now(), this.watchers.get(group));
    if (isBlocked) this.blocked.add(group);
    else this.blocked.delete(group);
    if (behind > 0 && !isBlocked) this.behind.add(group);
    else this.behind.delete(group);
    this.schedule(startMs);
  }

  /** Sockets take packets again. */
  drained(): void {
    const blocked = [...this.blocked];
    this.blocked.clear();
    for (const group of blocked) this.pump(group);
  }

  forget(group: number): void {
    this.behind.delete(group);
    this.blocked.delete(group);
    this.sent.forget(group);
    this.watchers.delete(group);
  }

  /** From a frame's arrival to its last packet to the last viewer who keeps up, in ms: the value below which `share` of the frames lie. */
  latencyMs(share: number): number {
    return this.sent.quantile(share);
  }

  /** The same of all frames since the start. */
  latency(): HistogramValue {
    return this.sent.value();
  }

  close(): void {
    clearTimeout(this.timer);
    this.behind.clear();
    this.blocked.clear();
  }

  /** `pumpedMs`: when the latest pump began. */
  private schedule(pumpedMs: number): void {
    if (this.behind.size === 0 || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.next(), Math.max(0, PUMP_INTERVAL_MS - (performance.now() - pumpedMs)));
  }

  private next(): void {
    const startMs = performance.now();
    // One that is forgotten meanwhile is no group any more. The timer is no more either, but stands in the way of another one until all are pumped.
    for (const group of [...this.behind]) if (this.behind.has(group)) this.pump(group);
    this.timer = undefined;
    this.schedule(startMs);
  }
}
