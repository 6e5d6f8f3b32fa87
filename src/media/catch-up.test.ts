import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import { CatchUp } from './catch-up.ts';
import type { Frame } from './frame.ts';
import { feed, sourceFrame, videoTrack, WALL_ZERO_MS } from './source-frames.fixture.ts';
import { Timeline } from './timeline.ts';
import type { VideoTrack } from './track.ts';

const slowClock: VideoTrack = { ...videoTrack, timescale: 1_000 };

/** As encoders with two B-frames between the others put them out: decoding times in order, presentation out of order. */
function pictures(count: number, frameMs: number): Frame[] {
  const stamp = { sequence: 1, discontinuity: 0, startMs: wallMs(0), targetDurationS: 2, partTargetMs: 500, tracks: [slowClock] };
  return Array.from({ length: count }, (_, n) => {
    const dts = Math.round(10_000 + n * frameMs);
    const delay = n === 0 ? frameMs : n % 3 === 1 ? 3 * frameMs : 0;
    return {
      ...sourceFrame(slowClock, dts, n === 0),
      pts: mediaTime(Math.round(dts + delay)),
      segment: stamp,
      part: 0,
      startsPart: n === 0,
      receivedMs: dts,
    };
  });
}

describe('CatchUp', () => {
  it.each([
    [30, 1000 / 30],
    [600, 1000 / 60],
    [240, 1000 / 120],
  ])(
    'shows %i frames at %f ms once more behind all others, in their order, and lets those that follow have their times soon',
    (count, frameMs) => {
      const all = pictures(count * 2, frameMs);
      const [first, ...others] = all.slice(0, count) as [Frame, ...Frame[]];
      const shownUntil = Math.max(...all.slice(0, count).map(({ pts }) => pts));
      const catchUp = new CatchUp([first, ...others]);
      const placed = all.flatMap((frame) => (catchUp.isOver(frame.dts) ? [] : [{ frame, ...catchUp.place(frame.dts, frame.pts) }]));
      expect(placed[0]?.dts).toBe(shownUntil + 1);
      const times = placed.map(({ dts }) => dts);
      expect(times).toEqual([...new Set(times)].toSorted((left, right) => left - right));
      expect(placed.every(({ dts, pts }) => pts >= dts)).toBe(true);
      const shown = placed.toSorted((left, right) => left.pts - right.pts || left.frame.pts - right.frame.pts);
      expect(shown.map(({ frame }) => frame.pts)).toEqual(placed.map(({ frame }) => frame.pts).toSorted((left, right) => left - right));
      // After a third of the group's length, at most, and of the frames that are shown ahead of their decoding time.
      expect(placed.length).toBeLessThan(count + count / 3 + 8);
    },
  );
});

describe('Timeline: pictures that come out once more', () => {
  it('never goes back, keeps the sound as it is, and has its own times again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_100, max: 9_000 }),
        fc.integer({ min: 16, max: 100 }),
        fc.integer({ min: 500, max: 5_000 }),
        (takeMs, frameMs, keyframeMs) => {
          const make = () => {
            const frames: Frame[] = [];
            const options = { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 };
            return { frames, timeline: new Timeline({ frame: (frame) => void frames.push(frame) }, options) };
          };
          const [plain, taken] = [make(), make()];
          for (const { timeline } of [plain, taken]) feed(timeline, { fromMs: 0, untilMs: takeMs, frameMs, keyframeMs });
          const from = taken.frames.findLastIndex(({ track, isKeyframe }) => track.kind === 'video' && isKeyframe);
          const group = taken.frames.slice(from).filter(({ track }) => track.kind === 'video');
          taken.timeline.renumber({ discontinuity: 3 });
          const before = taken.frames.length;
          expect(taken.timeline.repeat(group, wallMs(WALL_ZERO_MS + takeMs))).toBe(true);
          expect(taken.frames.slice(before).map(({ payload }) => payload)).toEqual(group.map(({ payload }) => payload));
          for (const { timeline } of [plain, taken])
            feed(timeline, { fromMs: takeMs, untilMs: takeMs + 10_000, frameMs, keyframeMs: 1_000_000 });
          for (const id of [1, 2]) {
            const times = taken.frames.filter(({ track }) => track.id === id).map(({ dts }) => dts);
            expect(times).toEqual([...new Set(times)].toSorted((left, right) => left - right));
          }
          expect(taken.frames.slice(before).every(({ segment }) => segment.discontinuity === 4)).toBe(true);
          const [sound, plainSound] = [taken, plain].map(({ frames }) =>
            frames.filter(({ track }) => track.kind === 'audio').map(({ dts }) => dts),
          );
          expect(sound).toEqual(plainSound);
          const ends = [taken, plain].map(({ frames }) => frames.findLast(({ track }) => track.kind === 'video')?.dts);
          expect(ends[0]).toBe(ends[1]);
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 100) },
    );
  });

  it('repeats nothing of tracks that the source does not have any more', () => {
    const frames: Frame[] = [];
    const options = { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 };
    const timeline = new Timeline({ frame: (frame) => void frames.push(frame) }, options);
    feed(timeline, { fromMs: 0, untilMs: 1_500 });
    const changed: VideoTrack = { ...videoTrack, config: new Uint8Array([1, 100, 0, 40]), width: 640 };
    timeline.write(sourceFrame(changed, 1_500, false), monotonicMs(1_500), wallMs(WALL_ZERO_MS + 1_500));
    const before = frames.length;
    expect(
      timeline.repeat(
        frames.filter(({ track }) => track.kind === 'video'),
        wallMs(WALL_ZERO_MS + 1_500),
      ),
    ).toBe(false);
    expect(frames.length).toBe(before);
  });
});
