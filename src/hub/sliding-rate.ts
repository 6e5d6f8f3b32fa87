import type { MonotonicMs } from '../core/mod.ts';

const BUCKET_MS = 500;
const BUCKETS = 8;

/** Sums amounts over the last four seconds, in buckets of half a second. */
export class SlidingRate {
  private readonly sums: Float64Array = new Float64Array(BUCKETS);
  private bucket = -1;
  private firstBucket = -1;

  add(amount: number, now: MonotonicMs): void {
    this.advance(now);
    const index = this.bucket % BUCKETS;
    this.sums[index] = (this.sums[index] ?? 0) + amount;
  }

  /** The amount per second over the complete buckets of the window; 0 before the first is complete. */
  perSecond(now: MonotonicMs): number {
    if (this.firstBucket < 0) return 0;
    this.advance(now);
    const complete = Math.min(this.bucket - this.firstBucket, BUCKETS - 1);
    if (complete <= 0) return 0;
    let sum = 0;
    for (let age = 1; age <= complete; age++) sum += this.sums[(this.bucket - age) % BUCKETS] ?? 0;
    return (sum * 1000) / (complete * BUCKET_MS);
  }

  private advance(now: MonotonicMs): void {
    const bucket = Math.max(this.bucket, Math.floor(now / BUCKET_MS));
    if (this.firstBucket < 0) this.firstBucket = bucket;
    for (let next = Math.max(this.bucket + 1, bucket - BUCKETS + 1); next <= bucket; next++) this.sums[next % BUCKETS] = 0;
    this.bucket = bucket;
  }
}
