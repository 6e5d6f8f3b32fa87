import { describe, expect, it } from 'vitest';
import type { GroupStats } from './kernel.ts';
import { SendLatency } from './send-latency.ts';

const stats = (headIndex: number, reachedIndex: number, flows = 1): GroupStats => ({
  headIndex,
  reachedIndex,
  flows,
  keyframeIndex: 0,
  tailIndex: 0,
  bytes: 0,
});

describe('SendLatency', () => {
  it('measures until the last viewer has a frame, over several pumps', () => {
    const latency = new SendLatency();
    latency.pumped(1, stats(10, 4), 100, 103);
    expect(latency.quantile(0.5)).toBe(0);
    latency.pumped(1, stats(15, 10), 110, 112);
    expect(latency.quantile(0.5)).toBe(12);
    latency.pumped(1, stats(15, 15), 115, 130);
    expect(latency.quantile(1)).toBe(20);
  });

  it('measures all groups together, and counts nothing that nobody gets', () => {
    const latency = new SendLatency();
    latency.pumped(1, stats(1, 1), 0, 5);
    latency.pumped(2, stats(1, 1), 0, 9);
    latency.pumped(3, stats(1, 1, 0), 0, 99);
    expect(latency.quantile(0.99)).toBe(9);
    latency.forget(2);
    expect(latency.value()).toMatchObject({ count: 2, sumS: expect.closeTo(0.014, 9) });
  });
});
