import type { DurationMs, MonotonicMs } from '../../core/mod.ts';
import { monotonicMs } from '../../core/mod.ts';

/** How long a peer may take and be silent. */
export interface LivenessOptions {
  /** From the connection's start (or the end of its last publication) to an accepted publish or play. */
  readonly setupTimeoutMs: DurationMs;
  /** After this long without a byte from the peer a ping is sent. */
  readonly pingIntervalMs: DurationMs;
  /** After this long without a byte from the peer, pings included, the session is closed. */
  readonly idleTimeoutMs: DurationMs;
}

/** What is due at a moment. */
export type LivenessVerdict = 'alive' | 'ping' | 'setup-timeout' | 'idle-timeout';

/** Judges by the times of bytes received whether a peer is still there. */
export class Liveness {
  private readonly options: LivenessOptions;
  private heardAt: MonotonicMs;
  private pingedAt: MonotonicMs;
  private setupBy: MonotonicMs | undefined;

  constructor(options: LivenessOptions, now: MonotonicMs) {
    this.options = options;
    this.heardAt = now;
    this.pingedAt = now;
    this.setupBy = monotonicMs(now + options.setupTimeoutMs);
  }

  heard(now: MonotonicMs): void {
    this.heardAt = now;
  }

  /** Setup is complete: only silence counts from now on. */
  settled(): void {
    this.setupBy = undefined;
  }

  /** Back before setup, e.g. after a publication was ended on a connection that stays. */
  unsettled(): void {
    this.setupBy = monotonicMs(this.heardAt + this.options.setupTimeoutMs);
  }

  /** The time at which `check` has something to say. */
  get wakeAt(): MonotonicMs {
    const pingAt = Math.max(this.heardAt, this.pingedAt) + this.options.pingIntervalMs;
    const idleAt = this.heardAt + this.options.idleTimeoutMs;
    return monotonicMs(Math.min(pingAt, idleAt, this.setupBy ?? Number.POSITIVE_INFINITY));
  }

  check(now: MonotonicMs): LivenessVerdict {
    if (this.setupBy !== undefined && now >= this.setupBy) return 'setup-timeout';
    if (now >= this.heardAt + this.options.idleTimeoutMs) return 'idle-timeout';
    if (now < Math.max(this.heardAt, this.pingedAt) + this.options.pingIntervalMs) return 'alive';
    this.pingedAt = now;
    return 'ping';
  }
}
