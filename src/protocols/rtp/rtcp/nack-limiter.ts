import type { MonotonicMs } from '../../../core/mod.ts';

/** Sequence numbers remembered; a power of two. Further apart than this they no longer hinder each other. */
const REMEMBERED = 256;
const NEVER = 0xffff_ffff;
const PACKET_BITS = 1200 * 8;
/** So much of what the path carries may be retransmissions: beyond that they are the congestion. */
const PATH_SHARE = 0.5;
/** What is always allowed: a few packets lost by chance, on the narrowest path that can be estimated. */
const PACKETS_PER_SECOND_MIN = 25;
const BURST_PACKETS_MIN = 50;

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
  private readonly most: NackLimits;
  private limits: NackLimits;
  private sequenceNumbers: Uint16Array | undefined = undefined;
  private answeredAt: Uint32Array | undefined = undefined;
  private tokens: number;
  private filledAt: number | undefined = undefined;
  private refusedCount = 0;

  constructor(limits: NackLimits = nackLimitsDefault) {
    this.most = limits;
    this.limits = limits;
    this.tokens = limits.burstPackets;
  }

  /** Packets that were asked for and not allowed. */
  get refused(): number {
    return this.refusedCount;
  }

  /** What the path carries as far as it is known: the budget is at most half of it, and never more than the limits. */
  pathCarries(bitsPerSecond: number): void {
    const { most } = this;
    const share = (PATH_SHARE * bitsPerSecond) / PACKET_BITS;
    this.limits = {
      packetsPerSecond: Math.min(most.packetsPerSecond, Math.max(PACKETS_PER_SECOND_MIN, share)),
      burstPackets: Math.min(most.burstPackets, Math.max(BURST_PACKETS_MIN, share)),
    };
    this.tokens = Math.min(this.tokens, this.limits.burstPackets);
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
