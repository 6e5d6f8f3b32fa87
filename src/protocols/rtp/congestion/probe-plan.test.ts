import { describe, expect, it } from 'vitest';
import { ProbePlan } from './probe-plan.ts';

describe('ProbePlan', () => {
  it('goes on at once after a success, until what is wanted was reached', () => {
    const plan = new ProbePlan();
    expect(plan.ask(500_000, 0, 4_000_000, 50, 0)?.bitrateBps).toBe(1_500_000);
    expect(plan.ask(500_000, 0, 4_000_000, 50, 100)).toBeUndefined();
    plan.answered(1_500_000, 150);
    expect(plan.ask(1_500_000, 1_500_000, 4_000_000, 50, 200)).toBeUndefined();
    expect(plan.ask(1_500_000, 1_500_000, 4_000_000, 50, 350)?.bitrateBps).toBe(3_000_000);
    plan.answered(3_000_000, 400);
    expect(plan.ask(3_000_000, 3_000_000, 4_000_000, 50, 600)?.bitrateBps).toBe(4_400_000);
    plan.answered(4_400_000, 700);
    expect(plan.ask(4_400_000, 4_400_000, 4_000_000, 50, 10_000)).toBeUndefined();
    // Nothing like it arrived lately: it has to be shown again.
    expect(plan.ask(4_400_000, 1_000_000, 4_000_000, 50, 30_000)?.bitrateBps).toBe(4_400_000);
  });

  /** The pauses between probes within two minutes; `arrivedBps`: of the train that comes back of each, 0 for none. */
  function pausesOf(arrivedBps: number): number[] {
    const plan = new ProbePlan();
    const asked: number[] = [];
    for (let now = 0; now < 120_000; now += 50) {
      if (plan.ask(1e6, 1e6, 1e7, 50, now) === undefined) continue;
      asked.push(now);
      if (arrivedBps > 0) plan.answered(arrivedBps, now + 50);
    }
    return asked.slice(1).map((now, index) => now - asked[index]!);
  }

  it('probes ever more seldom when the link does not carry it, at least every 20 s', () => {
    const pauses = pausesOf(1.1e6);
    expect(pauses[0]).toBeGreaterThan(5000);
    expect(pauses[0]).toBeLessThan(7000);
    expect(pauses.at(-1)).toBeGreaterThan(20_000);
    expect(pauses.at(-1)).toBeLessThan(22_000);
  });

  it('does not lose patience over probes that show nothing', () => {
    const pauses = pausesOf(0);
    expect(Math.max(...pauses)).toBeLessThan(7000);
    expect(Math.min(...pauses)).toBeGreaterThan(5000);
  });

  it('tries the rate from before a large drop again two seconds later', () => {
    const plan = new ProbePlan();
    plan.reduced(3_000_000, 900_000, 1000);
    expect(plan.ask(900_000, 900_000, 1e7, 50, 2900)).toBeUndefined();
    expect(plan.ask(900_000, 900_000, 1e7, 50, 3000)?.bitrateBps).toBe(2_550_000);
  });

  it('takes an estimate that falls during a probe as the answer', () => {
    const plan = new ProbePlan();
    plan.ask(1e6, 1e6, 1e7, 50, 0);
    plan.reduced(1_000_000, 900_000, 100);
    expect(plan.askedBps).toBe(0);
    expect(plan.ask(9e5, 9e5, 1e7, 50, 5000)).toBeUndefined();
    expect(plan.ask(9e5, 9e5, 1e7, 50, 5100)?.bitrateBps).toBe(1_800_000);
  });
});
