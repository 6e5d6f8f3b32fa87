import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { ClockDrift } from './clock-drift.ts';

const VIDEO = 1;
const FRAME_MS = 40;

interface Feed {
  readonly untilMs: number;
  readonly fromMs?: number;
  /** Media time for each ms of the clock. */
  readonly pace?: number;
  readonly lateMs?: (n: number) => number;
  readonly track?: number;
}

function feed(drift: ClockDrift, { fromMs = 0, untilMs, pace = 1, lateMs = () => 0, track = VIDEO }: Feed): void {
  for (let n = 0; fromMs + n * FRAME_MS < untilMs; n++) {
    const ms = fromMs + n * FRAME_MS;
    drift.observe(track, 1_000 + (ms - fromMs) * pace, monotonicMs(ms + lateMs(n)));
  }
}

describe('how far a clock runs away', () => {
  it('is nothing for one that keeps time, and before anything came', () => {
    const drift = new ClockDrift();
    expect(drift.ms).toBe(0);
    feed(drift, { untilMs: 60_000 });
    expect(drift.ms).toBe(0);
  });

  it.each([
    [1.001, 55],
    [0.999, -55],
  ])('is what it gains or loses: %f of the time', (pace, ms) => {
    const drift = new ClockDrift();
    feed(drift, { untilMs: 63_000, pace });
    expect(Math.abs(drift.ms - ms)).toBeLessThan(6);
  });

  it('leaves out what the network does to single frames', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 50, maxLength: 50 }), (late) => {
        const drift = new ClockDrift();
        // Each window has a frame that came at once.
        feed(drift, { untilMs: 30_000, lateMs: (n) => (n % 50 === 0 ? 0 : (late[n % 50] ?? 0)) });
        expect(Math.abs(drift.ms)).toBeLessThan(1);
      }),
    );
  });

  it('begins anew with another track, and where it is told to', () => {
    const drift = new ClockDrift();
    feed(drift, { untilMs: 30_000, pace: 1.01 });
    expect(drift.ms).toBeGreaterThan(100);
    feed(drift, { fromMs: 30_000, untilMs: 31_000, track: VIDEO + 1 });
    expect(drift.ms).toBe(0);
    feed(drift, { fromMs: 31_000, untilMs: 60_000, pace: 1.01, track: VIDEO + 1 });
    drift.restart();
    expect(drift.ms).toBe(0);
  });
});
