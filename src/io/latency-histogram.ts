/** Upper bounds of the buckets, in seconds: from a frame that goes through at once to one that nobody would wait for. */
export const LATENCY_BOUNDS_S: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5];

/** A histogram as Prometheus has it: how many values lie at or below each bound. */
export interface HistogramValue {
  /** Cumulative, one for each of {@link LATENCY_BOUNDS_S}. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumS: number;
}

/** Of several places together; at least one. */
export const sumHistograms = (all: readonly HistogramValue[]): HistogramValue =>
  all.reduce((left, right) => ({
    counts: left.counts.map((count, at) => count + (right.counts[at] ?? 0)),
    count: left.count + right.count,
    sumS: left.sumS + right.sumS,
  }));

/** What came after an earlier value of the same histogram. */
export const histogramSince = (before: HistogramValue, now: HistogramValue): HistogramValue => ({
  counts: now.counts.map((count, at) => Math.max(0, count - (before.counts[at] ?? 0))),
  count: Math.max(0, now.count - before.count),
  sumS: Math.max(0, now.sumS - before.sumS),
});

/**
 * Below which latency a share (0 to 1) of the values lies, in milliseconds; within a bucket they are taken to lie evenly. What is above all bounds counts as
 * the last one. 0 without values.
 */
export function histogramQuantileMs({ counts, count }: HistogramValue, share: number): number {
  const rank = share * count;
  if (count === 0) return 0;
  const at = counts.findIndex((cumulative) => cumulative > 0 && cumulative >= rank);
  if (at < 0) return (LATENCY_BOUNDS_S.at(-1) ?? 0) * 1000;
  const [below, from, to] = [counts[at - 1] ?? 0, LATENCY_BOUNDS_S[at - 1] ?? 0, LATENCY_BOUNDS_S[at] ?? 0];
  const inBucket = (counts[at] ?? 0) - below;
  return (from + (inBucket === 0 ? 0 : ((rank - below) / inBucket) * (to - from))) * 1000;
}

/** Counts latencies in buckets that never go back; adding one costs a few comparisons and a store. */
export class LatencyHistogram {
  private readonly buckets: Float64Array = new Float64Array(LATENCY_BOUNDS_S.length + 1);
  private sumS = 0;

  add(ms: number): void {
    const seconds = ms / 1000;
    let at = 0;
    while (at < LATENCY_BOUNDS_S.length && seconds > (LATENCY_BOUNDS_S[at] as number)) at++;
    this.buckets[at] = (this.buckets[at] ?? 0) + 1;
    this.sumS += seconds;
  }

  value(): HistogramValue {
    let count = 0;
    const counts: number[] = [];
    for (const bucket of this.buckets) {
      count += bucket;
      counts.push(count);
    }
    counts.pop();
    return { counts, count, sumS: this.sumS };
  }
}
