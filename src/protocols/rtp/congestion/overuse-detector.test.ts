import { describe, expect, it } from 'vitest';
import { ArrivalGroups } from './arrival-groups.ts';
import { DelayTrend } from './delay-trend.ts';
import { type BandwidthUsage, OveruseDetector } from './overuse-detector.ts';

/** Runs packets, 10 ms apart, that arrive with the given queueing delays through groups, filter and detector; what it said of each group. */
function usages(packets: number, delayMs: (packet: number) => number): BandwidthUsage[] {
  const groups = new ArrivalGroups();
  const trend = new DelayTrend();
  const detector = new OveruseDetector();
  const said: BandwidthUsage[] = [];
  for (let packet = 0; packet < packets; packet++) {
    if (!groups.add(packet * 10_000, packet * 10_000 + 50_000 + delayMs(packet) * 1000)) continue;
    const arrivalMs = groups.arrivalUs / 1000;
    trend.add(groups.sentDeltaMs, groups.arrivalDeltaMs, arrivalMs);
    said.push(detector.detect(trend.offsetMs, groups.sentDeltaMs, arrivalMs));
  }
  return said;
}

describe('the delay-based detector', () => {
  it('finds a steady delay normal, however long', () => {
    expect(new Set(usages(200, () => 400))).toEqual(new Set(['normal']));
  });

  it('finds jitter without a trend normal', () => {
    expect(new Set(usages(500, (packet) => (packet * 7919) % 5))).toEqual(new Set(['normal']));
  });

  it('sees a queue that grows within 300 ms, and one that drains', () => {
    const said = usages(200, (packet) => (packet < 100 ? 0 : packet < 150 ? (packet - 100) * 2 : Math.max(0, 100 - (packet - 150) * 3)));
    expect(said.slice(0, 98)).not.toContain('overuse');
    expect(said.slice(98, 130)).toContain('overuse');
    expect(said.slice(155)).toContain('underuse');
  });

  it('takes a slow drift of the clocks for nothing', () => {
    expect(new Set(usages(2000, (packet) => packet * 0.002))).toEqual(new Set(['normal']));
  });
});

describe('ArrivalGroups', () => {
  it('makes one group of packets sent within 5 ms, and measures between the last ones', () => {
    const groups = new ArrivalGroups();
    expect([groups.add(0, 1000), groups.add(4000, 7000), groups.add(10_000, 13_000), groups.add(14_000, 21_000)]).not.toContain(true);
    expect(groups.add(30_000, 40_000)).toBe(true);
    expect([groups.sentDeltaMs, groups.arrivalDeltaMs, groups.arrivalUs]).toEqual([10, 14, 21_000]);
  });

  it('takes packets that a stall delivers together for one group', () => {
    const groups = new ArrivalGroups();
    groups.add(0, 1000);
    expect([20_000, 40_000, 60_000].map((sentUs) => groups.add(sentUs, 100_000 + sentUs / 100))).not.toContain(true);
    expect(groups.add(200_000, 230_000)).toBe(true);
    expect([groups.sentDeltaMs, groups.arrivalDeltaMs]).toEqual([60, 99.6]);
  });

  it('passes over packets of earlier groups', () => {
    const groups = new ArrivalGroups();
    groups.add(0, 1000);
    groups.add(20_000, 21_000);
    expect(groups.add(1000, 50_000)).toBe(false);
    expect(groups.add(40_000, 41_000)).toBe(true);
    expect(groups.arrivalDeltaMs).toBe(20);
  });
});
