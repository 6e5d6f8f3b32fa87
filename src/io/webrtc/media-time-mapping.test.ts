import { describe, expect, it } from 'vitest';
import { MediaTimeMapping } from './media-time-mapping.ts';

/** Frames each 40 ms from `fromMs` on, `mediaMs` after them on the media clock and `delayMs` late. */
function feed(mapping: MediaTimeMapping, fromMs: number, untilMs: number, mediaMs: number, delayMs: (index: number) => number): void {
  for (let index = 0; fromMs + index * 40 < untilMs; index++) {
    const ms = fromMs + index * 40;
    mapping.observe(ms + mediaMs, ms + delayMs(index));
  }
}

describe('MediaTimeMapping', () => {
  it('knows nothing before the first frame', () => {
    expect(new MediaTimeMapping().mediaMsAt(5)).toBeUndefined();
  });

  it('follows the frames that came with the least delay', () => {
    const mapping = new MediaTimeMapping();
    feed(mapping, 10_000, 12_000, 500_000, (index) => [30, 5, 60, 12][index % 4] ?? 0);
    expect(mapping.mediaMsAt(12_000)).toBeCloseTo(512_000 - 5, 0);
  });

  it('follows a clock that is slower, and one that is faster', () => {
    for (const speed of [0.9999, 1.0001]) {
      const mapping = new MediaTimeMapping();
      for (let ms = 0; ms <= 600_000; ms += 40) mapping.observe(ms * speed, ms);
      expect(Math.abs((mapping.mediaMsAt(600_000) ?? 0) - 600_000 * speed)).toBeLessThan(1);
    }
  });

  it('stays where it is over a while of late frames', () => {
    const mapping = new MediaTimeMapping();
    feed(mapping, 0, 2_000, 0, () => 0);
    feed(mapping, 2_000, 3_500, 0, () => 1_500);
    feed(mapping, 5_000, 6_000, 0, () => 0);
    expect(mapping.mediaMsAt(6_000)).toBeCloseTo(6_000, 0);
  });

  it('gives in when all frames are late for good, as after a pause of the source', () => {
    const mapping = new MediaTimeMapping();
    feed(mapping, 0, 2_000, 0, () => 0);
    feed(mapping, 10_000, 15_000, -8_000, () => 0);
    expect(mapping.mediaMsAt(15_000)).toBeCloseTo(7_000, 0);
  });

  it('is not disturbed by the delay between frames of a still picture', () => {
    const mapping = new MediaTimeMapping();
    for (let ms = 0; ms < 60_000; ms += 5_000) mapping.observe(ms, ms + (ms % 10_000 === 0 ? 0 : 1_200));
    expect(mapping.mediaMsAt(60_000)).toBeCloseTo(60_000, -2);
  });
});
