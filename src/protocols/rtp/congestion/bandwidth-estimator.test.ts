import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitrateBps, monotonicMs } from '../../../core/mod.ts';
import { BandwidthEstimator, type FeedbackSamples } from './bandwidth-estimator.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const bounds = { startBps: bitrateBps(500_000), minBps: bitrateBps(100_000), maxBps: bitrateBps(20_000_000) };

/** Fifteen packets each 50 ms, sent in threes, on a link without a queue. */
function steady(index: number, lost: (packet: number) => boolean = () => false): FeedbackSamples {
  const count = 15;
  const sentUs = Float64Array.from({ length: count }, (_, packet) => 1e9 + index * 50_000 + Math.floor(packet / 3) * 10_000);
  const arrivalUs = sentUs.map((us, packet) => (lost(packet) ? Number.NaN : us + 7e6 + (packet % 3) * 100));
  return { firstSequenceNumber: (index * count) & 0xffff, count, sentUs, arrivalUs, sizes: new Uint16Array(count).fill(1200) };
}

describe('BandwidthEstimator', () => {
  it('starts at the start rate, and asks for no probe before feedback showed that there is any', () => {
    const estimator = new BandwidthEstimator(bounds);
    expect(estimator.estimateBps).toBe(500_000);
    expect(estimator.wantsProbe(monotonicMs(0))).toBeUndefined();
    estimator.feedback(steady(0), 50, monotonicMs(50));
    expect(estimator.wantsProbe(monotonicMs(50))).toEqual({ bitrateBps: 1_500_000, durationMs: 103 });
    expect(estimator.wantsProbe(monotonicMs(60))).toBeUndefined();
  });

  it('grows with what arrives and proves it', () => {
    const estimator = new BandwidthEstimator(bounds);
    for (let index = 0; index < 200; index++) estimator.feedback(steady(index), 50, monotonicMs(index * 50));
    expect(estimator.estimateBps).toBeGreaterThan(2_880_000);
    expect(estimator.estimateBps).toBeLessThan(2_880_000 * 1.6);
    expect(estimator.provenBps(monotonicMs(10_000))).toBeGreaterThan(2_700_000);
  });

  it('counts a feedback that comes again, whole or overlapping, only once', () => {
    const once = new BandwidthEstimator(bounds);
    const twice = new BandwidthEstimator(bounds);
    for (let index = 0; index < 100; index++) {
      once.feedback(steady(index), 50, monotonicMs(index * 50));
      twice.feedback(steady(index), 50, monotonicMs(index * 50));
      twice.feedback(steady(Math.max(0, index - 3)), 50, monotonicMs(index * 50));
      twice.feedback(steady(index), 50, monotonicMs(index * 50));
    }
    expect(twice.estimateBps).toBe(once.estimateBps);
  });

  it('starts its filters anew, not its estimate, when a clock jumps', () => {
    const estimator = new BandwidthEstimator(bounds);
    for (let index = 0; index < 100; index++) estimator.feedback(steady(index), 50, monotonicMs(index * 50));
    const before = estimator.estimateBps;
    for (let index = 100; index < 140; index++) {
      const samples = steady(index);
      samples.arrivalUs.forEach((us, packet) => {
        samples.arrivalUs[packet] = us + 3.6e9;
      });
      estimator.feedback(samples, 50, monotonicMs(index * 50));
    }
    expect(estimator.estimateBps).toBeGreaterThan(before * 0.95);
    expect(estimator.estimateBps).toBeLessThan(before * 1.6);
  });

  it('passes over packets that the sender knows nothing of', () => {
    const estimator = new BandwidthEstimator(bounds);
    const samples = steady(0);
    samples.sentUs.fill(Number.NaN);
    estimator.feedback(samples, 50, monotonicMs(0));
    expect(estimator.estimateBps).toBe(500_000);
  });

  it('gives the fraction lost', () => {
    const estimator = new BandwidthEstimator(bounds);
    for (let index = 0; index < 100; index++)
      estimator.feedback(
        steady(index, (packet) => packet % 5 === 0),
        50,
        monotonicMs(index * 50),
      );
    expect(estimator.fractionLost).toBeCloseTo(0.2, 1);
    expect(estimator.usage).toBe('normal');
  });
});

describe('a peer without transport-wide feedback', () => {
  it('is bounded by REMB, at once in both directions', () => {
    const estimator = new BandwidthEstimator(bounds);
    estimator.remb(3_000_000);
    expect(estimator.estimateBps).toBe(3_000_000);
    estimator.remb(250_000);
    expect(estimator.estimateBps).toBe(250_000);
    estimator.remb(0);
    expect(estimator.estimateBps).toBe(100_000);
    estimator.remb(Number.NaN);
    estimator.remb(-1);
    expect(estimator.estimateBps).toBe(100_000);
  });

  it('is held back by the losses of receiver reports', () => {
    const estimator = new BandwidthEstimator(bounds);
    estimator.remb(2_000_000);
    estimator.receiverReport(0.2, 50, monotonicMs(1000));
    expect(estimator.estimateBps).toBe(1_800_000);
    estimator.receiverReport(0.05, 50, monotonicMs(2000));
    expect(estimator.estimateBps).toBe(1_800_000);
    estimator.receiverReport(0, 50, monotonicMs(3000));
    expect(estimator.estimateBps).toBe(1_891_000);
  });

  it('grows from the start rate by reports alone', () => {
    const estimator = new BandwidthEstimator(bounds);
    for (let second = 0; second < 1000; second++) estimator.receiverReport(0, 50, monotonicMs(second * 1000));
    expect(estimator.estimateBps).toBe(20_000_000);
  });

  it('is no longer one after the first feedback', () => {
    const estimator = new BandwidthEstimator(bounds);
    estimator.remb(200_000);
    estimator.feedback(steady(0), 50, monotonicMs(50));
    expect(estimator.estimateBps).toBe(500_000);
  });
});

describe('any feedback', () => {
  const time = fc.oneof(
    fc.double({ min: 0, max: 1e9 }),
    fc.double(),
    fc.constantFrom(Number.NaN, 0, -1, 1e300, Number.MAX_SAFE_INTEGER, Infinity),
  );
  const packet = fc.tuple(time, time, fc.nat(0xffff));
  const feedback = fc.record({
    kind: fc.constantFrom('feedback' as const, 'steady' as const, 'remb' as const, 'report' as const, 'tick' as const, 'probe' as const),
    first: fc.oneof(fc.nat(0x1ffff), fc.nat(600)),
    count: fc.nat(60),
    packets: fc.array(packet, { maxLength: 40 }),
    value: fc.oneof(fc.double(), fc.double({ min: 0, max: 1 })),
    elapsedMs: fc.oneof(fc.nat(200), fc.constantFrom(0, -50, 1e6)),
  });

  it('gives a whole estimate within its bounds, and never throws', () => {
    fc.assert(
      fc.property(fc.array(feedback, { maxLength: 60 }), (steps) => {
        const estimator = new BandwidthEstimator(bounds);
        let nowMs = 1000;
        for (const [index, { kind, first, count, packets, value, elapsedMs }] of steps.entries()) {
          nowMs += elapsedMs;
          const now = monotonicMs(nowMs);
          const sentUs = Float64Array.from(packets, ([sent]) => sent);
          const arrivalUs = Float64Array.from(packets, ([, arrival]) => arrival);
          const sizes = Uint16Array.from(packets, ([, , size]) => size);
          if (kind === 'feedback') estimator.feedback({ firstSequenceNumber: first, count, sentUs, arrivalUs, sizes }, value, now);
          else if (kind === 'steady') estimator.feedback(steady(index), value, now);
          else if (kind === 'remb') estimator.remb(value * 1e6);
          else if (kind === 'report') estimator.receiverReport(value, value, now);
          else if (kind === 'tick') estimator.tick(now);
          const probe = estimator.wantsProbe(now);
          if (probe !== undefined) {
            expect(probe.bitrateBps).toBeGreaterThan(0);
            expect(probe.bitrateBps).toBeLessThanOrEqual(bounds.maxBps * 1.1);
            expect(probe.durationMs).toBeGreaterThan(0);
            expect(probe.durationMs).toBeLessThanOrEqual(250);
          }
          expect(Number.isInteger(estimator.estimateBps)).toBe(true);
          expect(estimator.estimateBps).toBeGreaterThanOrEqual(bounds.minBps);
          expect(estimator.estimateBps).toBeLessThanOrEqual(bounds.maxBps);
          expect(estimator.provenBps(now)).toBeGreaterThanOrEqual(0);
          expect(estimator.fractionLost).toBeGreaterThanOrEqual(0);
          expect(estimator.fractionLost).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns },
    );
  });

  it('is forgotten: good feedback after garbage leads to a good estimate', () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 40 }), (packets) => {
        const estimator = new BandwidthEstimator(bounds);
        const sentUs = Float64Array.from(packets, ([sent]) => sent);
        const arrivalUs = Float64Array.from(packets, ([, arrival]) => arrival);
        const sizes = Uint16Array.from(packets, ([, , size]) => size);
        estimator.feedback({ firstSequenceNumber: 0xff00, count: packets.length, sentUs, arrivalUs, sizes }, 50, monotonicMs(0));
        for (let index = 0; index < 600; index++) estimator.feedback(steady(index), 50, monotonicMs(50 + index * 50));
        expect(estimator.estimateBps).toBeGreaterThan(2_500_000);
      }),
      { numRuns: Math.ceil(numRuns / 10) },
    );
  });
});
