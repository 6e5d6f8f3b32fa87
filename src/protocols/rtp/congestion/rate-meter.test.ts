import { describe, expect, it } from 'vitest';
import { RateMeter } from './rate-meter.ts';

describe('RateMeter', () => {
  it('says nothing before a tenth of a second is covered', () => {
    const meter = new RateMeter();
    expect(meter.bps(500)).toBeNaN();
    meter.add(1_000_000, 1200);
    meter.add(1_090_000, 1200);
    expect(meter.bps(500)).toBeNaN();
  });

  it('gives the rate of the newest part, not of what was before', () => {
    const meter = new RateMeter();
    for (let us = 0; us < 2_000_000; us += 1000) meter.add(us, 1000);
    for (let us = 2_000_000; us < 2_300_000; us += 10_000) meter.add(us, 1000);
    expect(meter.bps(200)).toBeCloseTo(800_000, -5);
    expect(meter.bps(750)).toBeGreaterThan(3_000_000);
  });

  it('counts packets out of order, and none from before its window', () => {
    const meter = new RateMeter();
    meter.add(1_000_000, 100);
    meter.add(1_700_000, 100);
    meter.add(1_200_000, 100);
    meter.add(100_000, 60_000);
    expect(meter.bps(750)).toBeCloseTo((300 * 8) / 0.7, 3);
  });

  it('shows nothing of before after a pause', () => {
    const meter = new RateMeter();
    for (let us = 0; us < 1_000_000; us += 1000) meter.add(us, 1000);
    meter.add(60_000_000, 1000);
    expect(meter.bps(500)).toBeLessThan(20_000);
  });
});
