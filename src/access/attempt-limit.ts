import type { DurationMs, MonotonicMs } from '../core/mod.ts';

export interface AttemptLimitOptions {
  /** Wrong attempts in a row that an address has. */
  readonly attemptsMax: number;
  /** How long until an address gets one attempt back. */
  readonly refillMs: DurationMs;
  /** Addresses remembered; past it, the one whose last wrong attempt is longest ago is forgotten. */
  readonly addressesMax: number;
}

interface Bucket {
  /** Attempts used; fractional while they come back. */
  used: number;
  at: MonotonicMs;
}

/** Counts wrong attempts per address, as a leaky bucket. IPv6 addresses count by their /64, which one subscriber has to himself. */
export class AttemptLimit {
  private readonly options: AttemptLimitOptions;
  // In the order of the last wrong attempt.
  private readonly buckets = new Map<string, Bucket>();

  constructor(options: AttemptLimitOptions) {
    this.options = options;
  }

  /** Whether the address has used up its attempts. */
  isExhausted(address: string, now: MonotonicMs): boolean {
    const bucket = this.buckets.get(network(address));
    return bucket !== undefined && this.usedAt(bucket, now) > this.options.attemptsMax - 1;
  }

  noteWrong(address: string, now: MonotonicMs): void {
    const key = network(address);
    const bucket = this.buckets.get(key);
    this.buckets.delete(key);
    this.buckets.set(key, { used: (bucket === undefined ? 0 : this.usedAt(bucket, now)) + 1, at: now });
    if (this.buckets.size <= this.options.addressesMax) return;
    for (const oldest of this.buckets.keys()) {
      this.buckets.delete(oldest);
      break;
    }
  }

  private usedAt(bucket: Bucket, now: MonotonicMs): number {
    return Math.max(0, bucket.used - (now - bucket.at) / this.options.refillMs);
  }
}

/** The /64 of an IPv6 address as its first four groups; an IPv4 address as it is. */
function network(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right = ''] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === '' ? [] : right.split(':');
  const zeros = address.includes('::') ? Math.max(0, 8 - head.length - tail.length) : 0;
  return [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].slice(0, 4).join(':');
}
