import { type DurationMs, type MonotonicMs, monotonicMs } from '../../../core/mod.ts';

/**
 * Makes one request out of many for one stream: at most one each `intervalMs`. A request within the interval waits for its end and is
 * dropped when a keyframe comes before.
 */
export class KeyframeRequests {
  private readonly intervalMs: DurationMs;
  private sentAt: number = Number.NEGATIVE_INFINITY;
  private isWaiting = false;

  constructor(intervalMs: DurationMs) {
    this.intervalMs = intervalMs;
  }

  /** When a waiting request is due; `undefined` while none waits. */
  get wakeAt(): MonotonicMs | undefined {
    return this.isWaiting ? monotonicMs(this.sentAt + this.intervalMs) : undefined;
  }

  /** Somebody (a PLI, a FIR, a loss) wants a keyframe: true when it is to be asked for now. */
  request(now: MonotonicMs): boolean {
    this.isWaiting = true;
    return this.tick(now);
  }

  /** A keyframe came: nobody waits any more. */
  keyframe(): void {
    this.isWaiting = false;
  }

  /** True when a request that waited is to be sent now. */
  tick(now: MonotonicMs): boolean {
    if (!this.isWaiting || now < this.sentAt + this.intervalMs) return false;
    this.isWaiting = false;
    this.sentAt = now;
    return true;
  }
}
