import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyframePace, PUMP_INTERVAL_MS } from './keyframe-pace.ts';

const streamBps = 2_500_000;
const packetsPerSecond = streamBps / 8 / 1200;

/** Milliseconds until a flow that starts `behind` packets back is at the head, when the pace is asked for every `askMs`. */
function catchUpMs(behind: number, estimateBps: number, askMs: number): number {
  let left = behind;
  let pace = 0;
  for (let ms = 0; ms < 60_000; ms += PUMP_INTERVAL_MS) {
    if (ms % askMs === 0) pace = keyframePace({ streamBps, estimateBps, packetsBehind: left, catchingUpMs: ms });
    left += (packetsPerSecond * PUMP_INTERVAL_MS) / 1000 - pace;
    if (left <= 0) return ms + PUMP_INTERVAL_MS;
  }
  return Number.POSITIVE_INFINITY;
}

describe('keyframePace', () => {
  it('lets a usual frame out whole where the path is known to carry the stream', () => {
    const packetsOfFrame = packetsPerSecond / 30;
    const settled = { packetsBehind: 0, catchingUpMs: 0 };
    expect(keyframePace({ streamBps, estimateBps: streamBps, ...settled })).toBeGreaterThan(packetsOfFrame);
    expect(keyframePace({ streamBps, estimateBps: streamBps * 0.9, ...settled })).toBeLessThan(packetsOfFrame);
  });

  it('is 2.5 times the larger of estimate and stream rate, rounded up', () => {
    const behind = { packetsBehind: 10, catchingUpMs: 0 };
    expect(keyframePace({ streamBps, estimateBps: 0, ...behind })).toBe(Math.ceil((2.5 * packetsPerSecond) / 200));
    expect(keyframePace({ streamBps, estimateBps: 10_000_000, ...behind })).toBe(Math.ceil((2.5 * 4 * packetsPerSecond) / 200));
    expect(keyframePace({ streamBps, estimateBps: 10_000_000, packetBytes: 600, ...behind })).toBe(27);
  });

  it('brings a newcomer who starts up to two seconds back to the head within a second', () => {
    for (const seconds of [0.1, 0.5, 1, 2]) {
      for (const estimateBps of [100_000, 2_500_000, 20_000_000]) {
        for (const askMs of [5, 50, 100_000]) expect(catchUpMs(seconds * packetsPerSecond, estimateBps, askMs)).toBeLessThanOrEqual(1000);
      }
    }
  });

  it('does not send a whole GOP at once, even past the deadline', () => {
    expect(keyframePace({ streamBps, estimateBps: streamBps / 2, packetsBehind: 520, catchingUpMs: 0 })).toBeLessThan(6);
    expect(keyframePace({ streamBps, estimateBps: streamBps, packetsBehind: 520, catchingUpMs: 0 })).toBeLessThan(12);
    expect(keyframePace({ streamBps, estimateBps: streamBps, packetsBehind: 520, catchingUpMs: 5000 })).toBeLessThan(20);
  });

  it('is from 1 to 64 whatever it is told', () => {
    const number = fc.oneof(fc.double(), fc.double({ min: 0, max: 1e8 }));
    const flow = fc.record({ streamBps: number, estimateBps: number, packetsBehind: number, catchingUpMs: number, packetBytes: number });
    fc.assert(
      fc.property(flow, (state) => {
        const packets = keyframePace(state);
        expect(Number.isInteger(packets) && packets >= 1 && packets <= 64).toBe(true);
      }),
    );
  });
});
