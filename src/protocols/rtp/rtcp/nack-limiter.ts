import type { MonotonicMs } from '../../../core/mod.ts';

/** Sequence numbers remembered; a power of two. Further apart than this they no longer hinder each other. */
const REMEMBERED = 256;
const NEVER = 0xffff_ffff;

/** Bounds on what one viewer may ask to be sent again. */
export interface NackLimits {
  /** Packets a second on average. */
  readonly packetsPerSecond: number;
  /** Packets at once after a quiet time. */
  readonly burstPackets: number;
}

/** Limits that let a 2.5 Mbit/s viewer recover from bursts, and give an attacker no amplifier. */
export const nackLimitsDefault: NackLimits = { packetsPerSecond: 500, burstPackets: 250 };

/**
 * Decides which packets of a viewer's NACKs are answered: the same one not more often than each round trip, all together not more than
 * a budget. Takes its memory (1.5 KB) with the first NACK.
 */
export class NackLimiter {
  private readonly limits: NackLimits;
  private sequenceNumbers: Uint16Array | undefined = undefined;
  private answeredAt: Uint32Array | undefined = undefined;
  private tokens: number;
  private filledAt: number | undefined = undefined;
  private refusedCount = 0;

  constructor(limits: NackLimits = nackLimitsDefault) {
    this.limits = limits;
    this.tokens = limits.burstPackets;
  }

  /** Packets that were asked for and not allowed. */
  get refused(): number {
    return this.refusedCount;
  }

  /** Puts those of `asked` that may be sent again into `allowed` (at least as long); returns how many. `rttMs` 0 when unknown. */
  allow(asked: Uint16Array, rttMs: number, now: MonotonicMs, allowed: Uint16Array): number {
    this.sequenceNumbers ??= new Uint16Array(REMEMBERED);
    this.answeredAt ??= new Uint32Array(REMEMBERED).fill(NEVER);
    this.refill(now);
    // Modulo 2^32, as the times are kept.
    const nowMs = now >>> 0;
    let count = 0;
    for (const sequenceNumber of asked) {
      const slot = sequenceNumber & (REMEMBERED - 1);
      const last = this.answeredAt[slot] ?? NEVER;
      const isRepeated = last !== NEVER && this.sequenceNumbers[slot] === sequenceNumber && (nowMs - last) >>> 0 < rttMs;
      if (isRepeated || this.tokens < 1 || count === allowed.length) {
        this.refusedCount++;
        continue;
      }
      this.tokens--;
      this.sequenceNumbers[slot] = sequenceNumber;
      this.answeredAt[slot] = nowMs;
      allowed[count++] = sequenceNumber;
    }
    return count;
  }

  private refill(now: MonotonicMs): void {
    const elapsedMs = Math.max(0, now - (this.filledAt ?? now));
    this.filledAt = now;
    this.tokens = Math.min(this.limits.burstPackets, this.tokens + (elapsedMs * this.limits.packetsPerSecond) / 1000);
  }
}
