const BUCKET_US = 50_000;
const BUCKETS = 16;
// A rate over less than this much time says more about one packet than about the flow.
const COVERED_US_MIN = 100_000;

/**
 * Bytes over the last 800 ms of packet time, in buckets of 50 ms: R_hat of draft-ietf-rmcat-gcc-02 §5.5 ("a window given by T … between 0.5
 * and 1 second").
 */
export class RateMeter {
  private readonly bytes: number[] = Array.from({ length: BUCKETS }, () => 0);
  private firstUs = Number.NaN;
  private newestUs = 0;
  private newestBucket = 0;

  /** Counts `sizeBytes` at `timeUs`; what is older than the window is not counted. */
  add(timeUs: number, sizeBytes: number): void {
    const bucket = Math.floor(timeUs / BUCKET_US);
    if (Number.isNaN(this.firstUs)) {
      this.firstUs = timeUs;
      this.newestUs = timeUs;
      this.newestBucket = bucket;
    }
    if (bucket <= this.newestBucket - BUCKETS) return;
    for (let next = Math.max(this.newestBucket + 1, bucket - BUCKETS + 1); next <= bucket; next++) this.bytes[next % BUCKETS] = 0;
    this.newestBucket = Math.max(this.newestBucket, bucket);
    this.newestUs = Math.max(this.newestUs, timeUs);
    this.bytes[bucket % BUCKETS] = (this.bytes[bucket % BUCKETS] ?? 0) + sizeBytes;
  }

  /** Bits per second over the newest `windowMs` (at most 750); NaN while too little time is covered to say. */
  bps(windowMs: number): number {
    const buckets = Math.min(BUCKETS - 1, Math.ceil((windowMs * 1000) / BUCKET_US));
    const oldest = this.newestBucket - buckets;
    const fromUs = Math.max(oldest * BUCKET_US, this.firstUs);
    const coveredUs = this.newestUs - fromUs;
    if (!(coveredUs >= COVERED_US_MIN)) return Number.NaN;
    let sum = 0;
    for (let bucket = Math.max(oldest, 0); bucket <= this.newestBucket; bucket++) sum += this.bytes[bucket % BUCKETS] ?? 0;
    return (sum * 8_000_000) / coveredUs;
  }

  reset(): void {
    this.bytes.fill(0);
    this.firstUs = Number.NaN;
  }
}
