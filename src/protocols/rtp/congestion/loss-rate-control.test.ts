import { describe, expect, it } from 'vitest';
import { LossRateControl } from './loss-rate-control.ts';

describe('LossRateControl', () => {
  it('says nothing until more than a tenth is lost', () => {
    const control = new LossRateControl();
    for (let second = 0; second < 100; second++) control.report(0.1, 1e6, 50, second * 1000);
    expect(control.bps).toBe(Number.POSITIVE_INFINITY);
  });

  it('cuts by half the loss, once for the time in which a cut can show, and grows 5 % a second below 2 %', () => {
    const control = new LossRateControl();
    control.report(0.2, 1_000_000, 50, 1000);
    expect(control.bps).toBe(900_000);
    control.report(0.2, 900_000, 50, 1300);
    expect(control.bps).toBe(900_000);
    control.report(0.2, 900_000, 50, 1350);
    expect(control.bps).toBe(810_000);
    control.report(0.05, 810_000, 50, 2000);
    expect(control.bps).toBe(810_000);
    control.report(0.01, 810_000, 50, 3000);
    expect(control.bps).toBeCloseTo(810_000 * 1.05 + 1000, 3);
    control.releaseAbove(2_000_000);
    expect(control.bps).toBeLessThan(1_000_000);
    control.releaseAbove(800_000);
    expect(control.bps).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not take a few lost packets of few for a fraction, but heavy loss at once', () => {
    const control = new LossRateControl();
    control.add(15, 3, 1e6, 50, 0);
    control.add(15, 2, 1e6, 50, 50);
    expect(control.bps).toBe(Number.POSITIVE_INFINITY);
    control.add(15, 12, 1e6, 50, 100);
    expect(control.bps).toBeLessThan(900_000);
  });
});
