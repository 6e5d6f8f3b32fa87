import { describe, expect, it } from 'vitest';
import { TimestampRate } from './timestamp-rate.ts';

function fed(times: readonly number[]): number {
  const rate = new TimestampRate();
  for (const time of times) rate.add(time);
  return rate.perSecond;
}
const steps = (count: number, stepMs: number, fromMs = 0): number[] => Array.from({ length: count }, (_, index) => fromMs + index * stepMs);

describe('the rate by timestamps', () => {
  it('is known from half a second on', () => {
    expect(fed([])).toBe(0);
    expect(fed(steps(10, 1000 / 30))).toBe(0);
    expect(fed(steps(17, 1000 / 30))).toBeCloseTo(30, 5);
    expect(fed(steps(2, 1000))).toBeCloseTo(1, 5);
  });

  it('is that of the last frames', () => {
    expect(fed([...steps(500, 20), ...steps(200, 40, 10_000)])).toBeCloseTo(25, 5);
  });

  it('begins anew where timestamps jump', () => {
    expect(fed([...steps(100, 20), ...steps(5, 40, 60_000)])).toBe(0);
    expect(fed([...steps(100, 20, 60_000), ...steps(20, 40)])).toBeCloseTo(25, 5);
  });

  it('begins anew when it is told to', () => {
    const rate = new TimestampRate();
    for (const time of steps(100, 20)) rate.add(time);
    rate.restart();
    expect(rate.perSecond).toBe(0);
  });
});
