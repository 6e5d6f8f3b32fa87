import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PictureTimes, type SourceTimes } from './picture-times.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const FRAME = 3000;

/** Frames in decoding order by their place in presentation order; those in `keys` are keyframes. */
function group(shownAt: readonly number[], keys: readonly number[], delay: number): SourceTimes[] {
  return shownAt.map((at, index) => ({
    dts: index * FRAME,
    pts: (at + delay) * FRAME,
    isKeyframe: keys.includes(index),
    captureMs: undefined,
  }));
}

/** All frames sent, then shown in the order of presentation. */
function through(frames: readonly SourceTimes[]): SourceTimes[] {
  const times = new PictureTimes();
  for (const frame of frames) times.sent(frame);
  const shown = frames.map(({ pts }) => pts).sort((a, b) => a - b);
  return shown.flatMap((pts) => times.shown(pts) ?? []);
}

describe('the times of decoded pictures', () => {
  it('are the source frames’ own without B-frames', () => {
    const frames = group([0, 1, 2, 3, 4], [0, 3], 0);
    expect(through(frames)).toEqual(frames);
  });

  it('deal the decoding times out again in the order of presentation', () => {
    // I P B B | I P B B, each P decoded before the two B shown ahead of it.
    const out = through(group([0, 3, 1, 2, 4, 7, 5, 6], [0, 4], 1));
    expect(out.map(({ dts }) => dts / FRAME)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(out.map(({ pts }) => pts / FRAME)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(out.map(({ isKeyframe }) => isKeyframe)).toEqual([true, false, false, false, true, false, false, false]);
  });

  it('leave a keyframe its decoding time when leading pictures are shown before it', () => {
    // The keyframe 3 is shown at 5, its leading pictures at 3 and 4.
    const out = through(group([0, 1, 2, 5, 3, 4, 6, 7], [0, 3], 2));
    const keyframe = out.find(({ isKeyframe, pts }) => isKeyframe && pts > 3 * FRAME);
    expect(keyframe?.dts).toBe(3 * FRAME);
    expect(out.map(({ dts }) => dts)).toEqual(out.map(({ dts }) => dts).toSorted((a, b) => a - b));
    expect(out.at(-1)?.dts).toBe(7 * FRAME);
  });

  it('go on with the next keyframe behind frames that never came out', () => {
    const frames = group([0, 1, 2, 3, 4, 5], [0, 4], 0);
    const times = new PictureTimes();
    for (const frame of frames) times.sent(frame);
    times.shown(0);
    const late = [4, 5].map((index) => times.shown(index * FRAME));
    expect(late).toEqual(frames.slice(4));
  });

  it('know no picture that was not sent, or is shown too late', () => {
    const times = new PictureTimes();
    for (const frame of group([0, 1, 2], [0], 0)) times.sent(frame);
    expect(times.shown(77)).toBeUndefined();
    expect(times.shown(2 * FRAME)?.pts).toBe(2 * FRAME);
    expect(times.shown(FRAME)).toBeUndefined();
  });

  it('never go back, and no picture is decoded after it is shown, whatever the source says', () => {
    const source = fc.array(
      fc.record({
        dts: fc.integer({ min: 0, max: 50 }),
        pts: fc.integer({ min: 0, max: 50 }),
        isKeyframe: fc.boolean(),
        isLost: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(source, (frames) => {
        const times = new PictureTimes();
        let [dts, pts] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
        frames.forEach((frame, index) => {
          times.sent({ ...frame, captureMs: undefined });
          if (frame.isLost) times.refused({ ...frame, captureMs: undefined });
          const shown = times.shown(frames[index >> 1]?.pts ?? 0);
          if (shown === undefined) return;
          expect(shown.dts).toBeGreaterThan(dts);
          expect(shown.pts).toBeGreaterThan(pts);
          expect(shown.dts).toBeLessThanOrEqual(shown.pts);
          ({ dts, pts } = shown);
        });
      }),
      { numRuns },
    );
  });
});
