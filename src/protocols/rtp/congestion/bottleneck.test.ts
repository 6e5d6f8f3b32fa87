import { describe, expect, it } from 'vitest';
import { bitrateBps, monotonicMs } from '../../../core/mod.ts';
import { Bottleneck, type SimulatedFlow } from './bottleneck.fixture.ts';
import { RenditionChoice } from './rendition-choice.ts';

/** Mean of the estimate over the next `ms`. */
function meanEstimate(link: Bottleneck, flow: SimulatedFlow, ms: number): number {
  let sum = 0;
  link.run(ms, () => {
    sum += flow.estimateBps;
  });
  return sum / ms;
}

function msWith(link: Bottleneck, ms: number, condition: () => boolean): number {
  let count = 0;
  link.run(ms, () => {
    if (condition()) count++;
  });
  return count;
}

describe('an elastic source on a bottleneck', () => {
  for (const capacityBps of [1e6, 3e6, 10e6, 25e6]) {
    it(`finds ${capacityBps / 1e6} Mbit/s within 15 % in 10 seconds, and stays there`, () => {
      const link = new Bottleneck({ capacityBps });
      const flow = link.add({ source: 'elastic' });
      link.run(10_000);
      const mean = meanEstimate(link, flow, 20_000);
      expect(mean).toBeGreaterThan(capacityBps * 0.85);
      expect(mean).toBeLessThan(capacityBps * 1.05);
    });
  }

  it('finds it without probes too, at 8 % a second', () => {
    const link = new Bottleneck({ capacityBps: 2e6 });
    const flow = link.add({ source: 'elastic', probes: false });
    link.run(25_000);
    const mean = meanEstimate(link, flow, 10_000);
    expect(mean).toBeGreaterThan(2e6 * 0.85);
    expect(mean).toBeLessThan(2e6 * 1.05);
  });

  it('leaves a link slower than its start rate, and drains the queue that it made', () => {
    const link = new Bottleneck({ capacityBps: 300e3 });
    const flow = link.add({ source: 'elastic' });
    link.run(6000);
    expect(msWith(link, 20_000, () => link.queueDelayMs > 400)).toBe(0);
    expect(meanEstimate(link, flow, 10_000)).toBeGreaterThan(300e3 * 0.8);
  });

  it('keeps the queue short once it has found the capacity', () => {
    const link = new Bottleneck({ capacityBps: 3e6 });
    link.add({ source: 'elastic' });
    link.run(5000);
    expect(msWith(link, 30_000, () => link.queueDelayMs > 100)).toBeLessThan(1500);
  });

  it('works through jitter, lost and reordered feedback', () => {
    for (const seed of [1, 2, 3]) {
      const link = new Bottleneck({ capacityBps: 3e6, jitterMs: 8, seed });
      const flow = link.add({ source: 'elastic', feedbackLoss: 0.1, feedbackJitterMs: 120 });
      link.run(10_000);
      const mean = meanEstimate(link, flow, 30_000);
      expect(mean).toBeGreaterThan(3e6 * 0.75);
      expect(mean).toBeLessThan(3e6 * 1.1);
    }
  });
});

describe('a capacity that changes', () => {
  it('backs off within a second from 3 to 1 Mbit/s, without a queue over 500 ms for long', () => {
    const link = new Bottleneck({ capacityBps: 3e6, queueBytes: 200_000 });
    const flow = link.add({ source: 'elastic' });
    link.run(15_000);
    link.capacityBps = 1e6;
    const deep = msWith(link, 1000, () => link.queueDelayMs > 500);
    expect(flow.estimateBps).toBeLessThan(1e6);
    expect(deep + msWith(link, 9000, () => link.queueDelayMs > 500)).toBeLessThan(500);
    expect(flow.estimateBps).toBeGreaterThan(0.8e6);
  });

  it('recovers after the capacity came back', () => {
    const link = new Bottleneck({ capacityBps: 3e6, queueBytes: 200_000 });
    const flow = link.add({ source: 'elastic' });
    link.run(15_000);
    link.capacityBps = 1e6;
    link.run(15_000);
    link.capacityBps = 3e6;
    link.run(10_000);
    expect(meanEstimate(link, flow, 10_000)).toBeGreaterThan(3e6 * 0.85);
  });

  it('makes room for cross traffic and takes it back', () => {
    const link = new Bottleneck({ capacityBps: 4e6 });
    const flow = link.add({ source: 'elastic' });
    link.run(10_000);
    link.crossTrafficBps = 2e6;
    link.run(3000);
    expect(meanEstimate(link, flow, 10_000)).toBeLessThan(2.2e6);
    link.crossTrafficBps = 0;
    link.run(22_000);
    expect(meanEstimate(link, flow, 5000)).toBeGreaterThan(4e6 * 0.8);
  });

  it('falls while no feedback comes back, and not below the minimum', () => {
    const link = new Bottleneck({ capacityBps: 3e6 });
    const flow = link.add({ source: 'elastic', estimator: { minBps: bitrateBps(100_000) } });
    link.run(5000);
    link.lossFraction = 1;
    link.run(5000);
    expect(flow.estimateBps).toBeLessThan(1.4e6);
    link.run(60_000);
    expect(flow.estimateBps).toBe(100_000);
  });
});

describe('random loss without a queue', () => {
  for (const seed of [1, 2, 3]) {
    it(`5 % neither cut nor hold back the estimate (seed ${seed})`, () => {
      const link = new Bottleneck({ capacityBps: 10e6, lossFraction: 0.05, seed });
      const flow = link.add({ source: 'elastic' });
      link.run(10_000);
      expect(meanEstimate(link, flow, 30_000)).toBeGreaterThan(10e6 * 0.8);
    });
  }

  it('20 % cut it, as the loss rule says', () => {
    const link = new Bottleneck({ capacityBps: 10e6, lossFraction: 0.2 });
    const flow = link.add({ source: 'elastic' });
    link.run(20_000);
    expect(flow.estimateBps).toBeLessThan(600_000);
    link.lossFraction = 0;
    link.run(20_000);
    expect(flow.estimateBps).toBeGreaterThan(10e6 * 0.8);
  });
});

describe('flows that share a bottleneck', () => {
  it('get comparable shares, and together the link', () => {
    const link = new Bottleneck({ capacityBps: 4e6 });
    const flows = [link.add({ source: 'elastic' }), link.add({ source: 'elastic', startsAtMs: 10_000 })];
    link.run(25_000);
    const before = flows.map((flow) => flow.arrivedBytes);
    link.run(60_000);
    const rates = flows.map((flow, index) => ((flow.arrivedBytes - before[index]!) * 8) / 60);
    expect(rates[0]! + rates[1]!).toBeGreaterThan(4e6 * 0.85);
    expect(Math.min(...rates) / Math.max(...rates)).toBeGreaterThan(0.5);
  });
});

describe('a live stream that does not fill the link', () => {
  it('of 600 kbit/s on 10 Mbit/s gets an estimate that stays usable, for little padding', () => {
    for (const jitterMs of [0, 8]) {
      const link = new Bottleneck({ capacityBps: 10e6, jitterMs });
      const flow = link.add({ source: 600e3 });
      link.run(10_000);
      let lowest = Number.POSITIVE_INFINITY;
      link.run(110_000, () => {
        lowest = Math.min(lowest, flow.estimateBps);
        expect(flow.estimateBps).toBeLessThan(12e6);
      });
      expect(lowest).toBeGreaterThan(2e6);
      expect(flow.paddingPackets / flow.sentPackets).toBeLessThan(0.3);
    }
  });

  it('is not probed past what is wanted', () => {
    const link = new Bottleneck({ capacityBps: 10e6 });
    const flow = link.add({ source: 600e3 });
    flow.estimator.wantedBps = bitrateBps(1_500_000);
    link.run(65_000);
    expect(flow.estimateBps).toBeGreaterThan(1_500_000);
    expect(flow.estimateBps).toBeLessThan(4_000_000);
    expect(flow.estimator.provenBps(monotonicMs(link.nowMs))).toBeGreaterThan(1_500_000);
    expect(flow.paddingPackets / flow.sentPackets).toBeLessThan(0.05);
  });

  it('without probes grows no further than its bursts show', () => {
    const link = new Bottleneck({ capacityBps: 10e6 });
    const flow = link.add({ source: 600e3, probes: false });
    link.run(120_000);
    expect(flow.estimateBps).toBeGreaterThan(600e3);
    expect(flow.estimateBps).toBeLessThan(4e6);
  });

  it('is known not to fit when the link falls below it', () => {
    const link = new Bottleneck({ capacityBps: 3e6 });
    const flow = link.add({ source: 2.5e6 });
    link.run(15_000);
    expect(flow.estimateBps).toBeGreaterThan(2.5e6);
    link.capacityBps = 1e6;
    link.run(1000);
    expect(flow.estimateBps).toBeLessThan(1.2e6);
    link.capacityBps = 3e6;
    link.run(10_000);
    expect(flow.estimateBps).toBeGreaterThan(2.5e6);
  });

  it('is known not to fit within a second, however far its estimate was above it', () => {
    for (const seed of [1, 2, 3]) {
      const link = new Bottleneck({ capacityBps: 50e6, queueBytes: 20_000, jitterMs: 3, seed });
      const flow = link.add({ source: 800e3 });
      link.run(12_000);
      expect(flow.estimateBps).toBeGreaterThan(5e6);
      link.capacityBps = 450e3;
      link.run(1000);
      expect(flow.estimateBps).toBeLessThan(500e3);
    }
  });
});

describe('the choice of a rendition over a bottleneck', () => {
  const ladder = [
    { name: '1080p', bitrateBps: bitrateBps(4_000_000) },
    { name: '720p', bitrateBps: bitrateBps(2_000_000) },
    { name: '360p', bitrateBps: bitrateBps(600_000) },
  ];

  it('goes to what fits, follows a drop within a second, returns, and does not flap', () => {
    const link = new Bottleneck({ capacityBps: 6e6, jitterMs: 5 });
    const choice = new RenditionChoice(ladder);
    const flow = link.add({ source: 600e3 });
    const switches: string[] = [];
    const follow = (nowMs: number): void => {
      if (nowMs % 100 !== 0) return;
      const now = monotonicMs(nowMs);
      const verdict = choice.update(flow.estimator.estimateBps, flow.estimator.provenBps(now), now)!;
      flow.estimator.wantedBps = verdict.wantedBps;
      if (switches.at(-1) !== verdict.name) switches.push(verdict.name);
      flow.source = ladder.find(({ name }) => name === verdict.name)!.bitrateBps;
    };
    link.run(60_000, follow);
    expect(switches.at(-1)).toBe('1080p');
    expect(switches.length).toBeLessThanOrEqual(3);
    switches.splice(0, switches.length - 1);
    link.capacityBps = 1.2e6;
    link.run(1500, follow);
    expect(switches.at(-1)).toBe('360p');
    link.run(60_000, follow);
    expect(switches.at(-1)).toBe('360p');
    expect(switches.length).toBeLessThanOrEqual(3);
    link.capacityBps = 6e6;
    link.run(60_000, follow);
    expect(switches.at(-1)).toBe('1080p');
  });
});
