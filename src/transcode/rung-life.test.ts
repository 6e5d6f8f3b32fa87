import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { RungLife, type RungLifeOptions } from './rung-life.ts';

function life(options: Partial<RungLifeOptions> = {}) {
  const changes: boolean[] = [];
  const rung = new RungLife({ wantedChanged: (isWanted) => changes.push(isWanted) }, { isAlways: false, lingerMs: 10_000, ...options });
  return { rung, changes };
}
const at = monotonicMs;

describe('a rung on demand', () => {
  it('is made while it has viewers, and lingers after the last one', () => {
    const { rung, changes } = life();
    rung.viewersAre(0, at(0));
    expect([rung.state, changes]).toEqual(['idle', []]);
    rung.viewersAre(2, at(1));
    expect([rung.state, changes]).toEqual(['wanted', [true]]);
    rung.viewersAre(0, at(1000));
    expect([rung.state, rung.wakeAt]).toEqual(['lingering', 11_000]);
    rung.tick(at(10_999));
    expect(changes).toEqual([true]);
    rung.tick(at(11_000));
    expect([rung.state, rung.wakeAt, changes]).toEqual(['idle', undefined, [true, false]]);
  });

  it('lives by other rules from one moment to the next', () => {
    const { rung, changes } = life();
    rung.become({ isAlways: true, lingerMs: 5 }, at(0));
    expect([rung.state, changes]).toEqual(['wanted', [true]]);
    rung.viewersAre(1, at(1));
    rung.become({ isAlways: false, lingerMs: 5 }, at(2));
    expect([rung.state, changes]).toEqual(['wanted', [true]]);
    rung.viewersAre(0, at(10));
    expect(rung.wakeAt).toBe(15);
    rung.tick(at(15));
    rung.become({ isAlways: false, lingerMs: 7 }, at(16));
    expect([rung.state, changes]).toEqual(['idle', [true, false]]);
  });

  it('goes on for a viewer who comes back meanwhile', () => {
    const { rung, changes } = life();
    rung.viewersAre(1, at(0));
    rung.viewersAre(0, at(1));
    rung.viewersAre(0, at(9_000));
    expect(rung.wakeAt).toBe(10_001);
    rung.viewersAre(1, at(9_001));
    rung.tick(at(60_000));
    expect([rung.state, rung.wakeAt, changes]).toEqual(['wanted', undefined, [true]]);
  });

  it('ends at once without lingering', () => {
    const { rung, changes } = life({ lingerMs: 0 });
    rung.viewersAre(1, at(0));
    rung.viewersAre(0, at(5));
    expect([rung.state, changes]).toEqual(['idle', [true, false]]);
  });

  it('that always runs is wanted from the start and for good', () => {
    const { rung, changes } = life({ isAlways: true });
    rung.viewersAre(0, at(0));
    rung.viewersAre(1, at(1));
    rung.viewersAre(0, at(2));
    rung.tick(at(1e6));
    expect([rung.state, changes]).toEqual(['wanted', [true]]);
  });

  it('is wanted whenever it has viewers, and idle a while after (any course of events)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(20_000)), { maxLength: 40 }), (steps) => {
        const { rung, changes } = life();
        let now = 0;
        for (const [viewers, passMs] of steps) {
          rung.viewersAre(viewers, at(now));
          if (viewers > 0) expect(rung.state).toBe('wanted');
          now += passMs;
        }
        rung.viewersAre(0, at(now));
        rung.tick(at(now + 10_000));
        expect(rung.state).toBe('idle');
        expect(changes).toEqual(changes.map((_, index) => index % 2 === 0));
      }),
    );
  });
});
