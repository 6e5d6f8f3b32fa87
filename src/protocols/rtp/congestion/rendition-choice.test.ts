import { describe, expect, it } from 'vitest';
import { bitrateBps, monotonicMs } from '../../../core/mod.ts';
import { seededRandom } from './bottleneck.fixture.ts';
import { RenditionChoice, type RenditionVerdict } from './rendition-choice.ts';

const ladder = [
  { name: 'low', bitrateBps: bitrateBps(500_000) },
  { name: 'high', bitrateBps: bitrateBps(3_000_000) },
  { name: 'mid', bitrateBps: bitrateBps(1_500_000) },
];

function chosen(choice: RenditionChoice, estimate: number, proven: number, nowMs: number): RenditionVerdict {
  return choice.update(bitrateBps(estimate), bitrateBps(proven), monotonicMs(nowMs))!;
}

/** Updates ten times a second with the same estimate, all of it proven; the last verdict. */
function hold(choice: RenditionChoice, estimate: number, fromMs: number, toMs: number): RenditionVerdict {
  let verdict = chosen(choice, estimate, estimate, fromMs);
  for (let ms = fromMs; ms <= toMs; ms += 100) verdict = chosen(choice, estimate, estimate, ms);
  return verdict;
}

describe('RenditionChoice', () => {
  it('starts with the best that fits, or the lowest, and says what one more would need', () => {
    expect(chosen(new RenditionChoice(ladder), 2_000_000, 0, 0)).toEqual({ name: 'mid', reason: 'start', wantedBps: 3_600_000 });
    expect(chosen(new RenditionChoice(ladder), 100_000, 0, 0).name).toBe('low');
    expect(chosen(new RenditionChoice(ladder), 9_000_000, 0, 0)).toEqual({ name: 'high', reason: 'start', wantedBps: 3_600_000 });
    expect(new RenditionChoice([]).update(bitrateBps(1), bitrateBps(1), monotonicMs(0))).toBeUndefined();
  });

  it('goes down at once, as far as needed', () => {
    const choice = new RenditionChoice(ladder);
    chosen(choice, 5_000_000, 5_000_000, 0);
    expect(chosen(choice, 2_999_999, 5_000_000, 100)).toMatchObject({ name: 'mid', reason: 'estimate-below-bitrate' });
    expect(chosen(choice, 10_000, 0, 200)).toMatchObject({ name: 'low', reason: 'estimate-below-bitrate' });
    expect(chosen(choice, 10_000, 0, 300)).toMatchObject({ name: 'low', reason: 'no-headroom' });
  });

  it('goes up only after five seconds of 1.2 times the bitrate, proven, one step at a time', () => {
    const choice = new RenditionChoice(ladder);
    chosen(choice, 600_000, 0, 0);
    expect(chosen(choice, 1_790_000, 0, 100).reason).toBe('no-headroom');
    expect(hold(choice, 6_000_000, 200, 5100)).toMatchObject({ name: 'low', reason: 'waiting' });
    expect(chosen(choice, 6_000_000, 1_000_000, 5300)).toMatchObject({ name: 'low', reason: 'unproven', wantedBps: 1_800_000 });
    expect(chosen(choice, 6_000_000, 1_900_000, 5400)).toMatchObject({ name: 'mid', reason: 'headroom', wantedBps: 3_600_000 });
    expect(hold(choice, 6_000_000, 5500, 10_300).name).toBe('mid');
    expect(hold(choice, 6_000_000, 10_400, 11_000)).toMatchObject({ name: 'high', reason: 'highest' });
  });

  it('starts waiting anew when the headroom is gone for a moment', () => {
    const choice = new RenditionChoice(ladder);
    chosen(choice, 600_000, 0, 0);
    hold(choice, 2_000_000, 100, 4900);
    chosen(choice, 1_700_000, 2_000_000, 5000);
    expect(hold(choice, 2_000_000, 5100, 10_000).name).toBe('low');
    expect(hold(choice, 2_000_000, 10_100, 10_200).name).toBe('mid');
  });

  it('waits twice as long after a step up that did not last', () => {
    const choice = new RenditionChoice(ladder);
    chosen(choice, 600_000, 0, 0);
    expect(hold(choice, 2_000_000, 100, 5200).name).toBe('mid');
    chosen(choice, 1_000_000, 2_000_000, 6000);
    expect(hold(choice, 2_000_000, 6100, 16_000).name).toBe('low');
    expect(hold(choice, 2_000_000, 16_100, 16_200).name).toBe('mid');
  });

  it('does not flap on an estimate that is noisy around a bitrate', () => {
    for (const center of [1_500_000, 1_800_000, 3_000_000, 3_600_000]) {
      const random = seededRandom(center);
      const choice = new RenditionChoice(ladder);
      let switches = 0;
      let last = '';
      for (let ms = 0; ms < 600_000; ms += 100) {
        const estimate = center * (0.8 + 0.4 * random());
        const { name } = chosen(choice, estimate, center * 1.2, ms);
        if (name !== last) switches++;
        last = name;
      }
      expect(switches).toBeLessThanOrEqual(3);
    }
  });

  it('backs away from a rendition that fails each time it is tried', () => {
    const choice = new RenditionChoice(ladder);
    let switches = 0;
    let last = '';
    for (let ms = 0; ms < 600_000; ms += 100) {
      const estimate = last === 'mid' ? 1_400_000 : 2_000_000;
      const { name } = chosen(choice, ms === 0 ? 600_000 : estimate, 2_000_000, ms);
      if (name !== last) switches++;
      last = name;
    }
    expect(switches).toBeLessThan(30);
  });

  it('keeps its rendition when the list changes, or chooses again when it is gone', () => {
    const choice = new RenditionChoice(ladder);
    chosen(choice, 2_000_000, 0, 0);
    choice.setRenditions([...ladder, { name: 'higher', bitrateBps: bitrateBps(1_600_000) }]);
    expect(chosen(choice, 1_700_000, 0, 100).name).toBe('mid');
    choice.setRenditions([{ name: 'source', bitrateBps: bitrateBps(4_000_000) }]);
    expect(chosen(choice, 2_000_000, 0, 200)).toEqual({ name: 'source', reason: 'renditions', wantedBps: 4_800_000 });
    expect(chosen(choice, 2_000_000, 0, 300)).toMatchObject({ name: 'source', reason: 'highest' });
  });
});
