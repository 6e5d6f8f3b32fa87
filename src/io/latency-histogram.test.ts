import { describe, expect, it } from 'vitest';
import { histogramQuantileMs, histogramSince, LATENCY_BOUNDS_S, LatencyHistogram, sumHistograms } from './latency-histogram.ts';

describe('LatencyHistogram', () => {
  it('counts what lies at or below each bound, and everything', () => {
    const histogram = new LatencyHistogram();
    for (const ms of [0.5, 1, 40, 60_000]) histogram.add(ms);
    const { counts, count, sumS } = histogram.value();
    expect(counts).toHaveLength(LATENCY_BOUNDS_S.length);
    expect(counts[0]).toBe(2);
    expect(counts[LATENCY_BOUNDS_S.indexOf(0.03)]).toBe(2);
    expect(counts[LATENCY_BOUNDS_S.indexOf(0.05)]).toBe(3);
    expect(counts.at(-1)).toBe(3);
    expect(count).toBe(4);
    expect(sumS).toBeCloseTo(60.0415, 9);
  });

  it('adds up over several places', () => {
    const [one, other] = [new LatencyHistogram(), new LatencyHistogram()];
    one.add(2);
    other.add(20);
    expect(sumHistograms([one.value(), other.value()])).toMatchObject({ count: 2, sumS: expect.closeTo(0.022, 9) });
  });

  it('tells below what a share of the values lies, also of those that came since', () => {
    const histogram = new LatencyHistogram();
    expect(histogramQuantileMs(histogram.value(), 0.5)).toBe(0);
    for (let at = 0; at < 100; at++) histogram.add(40);
    const before = histogram.value();
    expect(histogramQuantileMs(before, 0.5)).toBeCloseTo(40, 9);
    for (let at = 0; at < 10; at++) histogram.add(0.5);
    expect(histogramQuantileMs(histogramSince(before, histogram.value()), 0.95)).toBeCloseTo(0.95, 9);
    histogram.add(60_000);
    expect(histogramQuantileMs(histogram.value(), 1)).toBe(5_000);
  });
});
