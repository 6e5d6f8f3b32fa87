import { describe, expect, it } from 'vitest';
import { wallMs } from '../../../core/mod.ts';
import { PeerClock } from './peer-clock.ts';

const OURS = 1_800_000_000_000;
const AHEAD = 7_000_000;

/** Reports each second, under way for so long, of a clock that is ahead of ours. */
function clockAfter(delaysMs: readonly number[], aheadMs: (index: number) => number = () => AHEAD): PeerClock {
  const clock = new PeerClock();
  for (const [index, delayMs] of delaysMs.entries()) {
    const sent = OURS + index * 1_000;
    clock.reported(wallMs(sent + aheadMs(index)), wallMs(sent + delayMs));
  }
  return clock;
}

describe('PeerClock', () => {
  it('knows nothing before a report, nor by one without a wall clock', () => {
    const clock = new PeerClock();
    clock.reported(wallMs(Number.NaN), wallMs(OURS));
    expect(clock.toOurs(wallMs(OURS))).toBeUndefined();
  });

  it('goes by the report that was under way for the shortest time', () => {
    expect(clockAfter([80, 25, 300]).toOurs(wallMs(OURS + AHEAD))).toBe(OURS + 25);
    expect(clockAfter([80, 25, 300], () => -AHEAD).toOurs(wallMs(OURS - AHEAD))).toBe(OURS + 25);
  });

  it('follows a clock that drifts, within two windows', () => {
    const drifting = clockAfter(
      Array.from({ length: 200 }, () => 20),
      (index) => AHEAD - index,
    );
    expect((drifting.toOurs(wallMs(OURS + AHEAD)) ?? 0) - OURS).toBeGreaterThan(20 + 130);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('follows a clock that is set %s at once', (_, stepMs) => {
    const stepped = clockAfter([20, 20, 30], (index) => AHEAD + (index === 2 ? stepMs : 0));
    expect(stepped.toOurs(wallMs(OURS + AHEAD + stepMs))).toBe(OURS + 30);
  });

  it('follows our own clock when it is set', () => {
    const clock = clockAfter([20, 20]);
    for (let second = 0; second < 3; second++)
      clock.reported(wallMs(OURS + AHEAD + second * 1_000), wallMs(OURS - 500_000 + second * 1_000));
    expect(clock.toOurs(wallMs(OURS + AHEAD))).toBe(OURS - 500_000);
  });
});
