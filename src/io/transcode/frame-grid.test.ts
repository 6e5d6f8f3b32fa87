import { describe, expect, it } from 'vitest';
import { FrameGrid } from './frame-grid.ts';

/** How many of a second's pictures stay, and the largest distance between two. */
function limited(rate: number, max: number, keyframes: readonly number[] = [0], jitter = 0): { count: number; taken: number[] } {
  const grid = new FrameGrid(max === 0 ? 0 : 90_000 / max);
  const times = Array.from({ length: rate }, (_, index) => Math.round((index * 90_000) / rate) + (index % 2) * jitter);
  const taken = times.filter((pts, index) => grid.takes(pts, keyframes.includes(index)));
  return { count: taken.length, taken };
}

describe('the limit of a frame rate', () => {
  it.each([
    [60, 30, 30],
    [50, 30, 30],
    [50, 25, 25],
    [30, 30, 30],
    [25, 30, 25],
    [60, 24, 24],
    [30, 0, 30],
  ])('makes of %i pictures a second, at most %i, %i', (rate, max, count) => {
    expect(limited(rate, max).count).toBe(count);
  });

  it('bears times that are rounded to milliseconds', () => {
    expect(limited(30, 30, [0], 90).count).toBe(30);
  });

  it('keeps keyframes, and goes on from one that is off the grid', () => {
    const { taken } = limited(60, 30, [0, 7]);
    expect(taken).toContain(7 * 1500);
    expect(taken.filter((pts) => pts > 7 * 1500).slice(0, 2)).toEqual([9 * 1500, 11 * 1500]);
  });

  it('does not catch up behind a gap', () => {
    const grid = new FrameGrid(3000);
    const taken = [0, 1500, 90_000, 91_500, 93_000].filter((pts) => grid.takes(pts, false));
    expect(taken).toEqual([0, 90_000, 93_000]);
  });
});
