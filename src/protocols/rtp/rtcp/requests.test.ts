import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, wallMs } from '../../../core/mod.ts';
import { KeyframeRequests } from './keyframe-requests.ts';
import { NackLimiter } from './nack-limiter.ts';
import { compactNtp, ntpFraction, ntpSeconds, ntpToUnixMs, roundTripMs } from './ntp.ts';

const at = monotonicMs;

describe('KeyframeRequests', () => {
  it('makes one request of many, and a second one when the interval is over', () => {
    const requests = new KeyframeRequests(durationMs(500));
    expect([requests.request(at(0)), requests.request(at(1)), requests.request(at(499))]).toEqual([true, false, false]);
    expect(requests.wakeAt).toBe(500);
    expect([requests.tick(at(499)), requests.tick(at(500)), requests.tick(at(5_000))]).toEqual([false, true, false]);
    expect(requests.wakeAt).toBeUndefined();
  });

  it('drops what waits when a keyframe comes', () => {
    const requests = new KeyframeRequests(durationMs(500));
    requests.request(at(0));
    requests.request(at(100));
    requests.keyframe();
    expect(requests.tick(at(1_000))).toBe(false);
    expect(requests.request(at(1_000))).toBe(true);
  });
});

describe('NackLimiter', () => {
  const allowed = new Uint16Array(64);

  it('answers for the same packet once each round trip', () => {
    const limiter = new NackLimiter();
    const start = 2 ** 32 - 10;
    expect(limiter.allow(Uint16Array.of(7, 8, 7), 50, at(start), allowed)).toBe(2);
    expect([...allowed.subarray(0, 2)]).toEqual([7, 8]);
    expect(limiter.allow(Uint16Array.of(7, 9), 50, at(start + 49), allowed)).toBe(1);
    expect(allowed[0]).toBe(9);
    expect(limiter.allow(Uint16Array.of(7), 50, at(start + 50), allowed)).toBe(1);
    expect(limiter.refused).toBe(2);
  });

  it('keeps to its budget', () => {
    const limiter = new NackLimiter({ packetsPerSecond: 100, burstPackets: 10 });
    const many = Uint16Array.from({ length: 64 }, (_, index) => index);
    expect(limiter.allow(many, 0, at(0), allowed)).toBe(10);
    expect(limiter.allow(many, 0, at(50), allowed)).toBe(5);
    expect(limiter.allow(many, 0, at(60_000), allowed)).toBe(10);
  });

  it('keeps to half of what the path carries, within its limits', () => {
    const limiter = new NackLimiter();
    const many = Uint16Array.from({ length: 600 }, (_, index) => index);
    const room = new Uint16Array(600);
    limiter.pathCarries(50_000);
    expect(limiter.allow(many, 0, at(0), room)).toBe(50);
    expect(limiter.allow(many, 0, at(1_000), room)).toBe(25);
    limiter.pathCarries(1_920_000);
    expect(limiter.allow(many, 0, at(2_000), room)).toBe(100);
    limiter.pathCarries(1e9);
    expect(limiter.allow(many, 0, at(60_000), room)).toBe(250);
  });

  it('allows no more than there is room for', () => {
    expect(new NackLimiter().allow(Uint16Array.of(1, 2, 3), 0, at(0), new Uint16Array(2))).toBe(2);
  });
});

describe('NTP', () => {
  it('keeps Unix times to a microsecond, also beyond 2036', () => {
    for (const ms of [0.001, 1_700_000_000_123.456, 2_100_000_000_000.5]) {
      expect(Math.abs(ntpToUnixMs(ntpSeconds(wallMs(ms)), ntpFraction(wallMs(ms))) - ms)).toBeLessThan(0.001);
    }
  });

  it('tells the round trip from a report block', () => {
    const sent = wallMs(1_700_000_000_000);
    const block = {
      ssrc: 1,
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequenceNumber: 0,
      jitter: 0,
      lastSenderReport: compactNtp(ntpSeconds(sent), ntpFraction(sent)),
      delaySinceLastSenderReport: 65_536,
    };
    expect(roundTripMs(block, wallMs(sent + 1_050))).toBeCloseTo(50, 1);
    expect(roundTripMs(block, wallMs(sent + 1_000))).toBe(0);
    expect(roundTripMs(block, wallMs(sent - 5_000))).toBeUndefined();
    expect(roundTripMs({ ...block, lastSenderReport: 0 }, sent)).toBeUndefined();
  });
});
