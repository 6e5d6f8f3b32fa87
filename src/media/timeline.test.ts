import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, ticksToMs, wallMs } from '../core/mod.ts';
import type { Frame, SegmentStamp } from './frame.ts';
import { audioTrack, FIRST_NUMBER, feed, sourceFrame, videoTrack, WALL_ZERO_MS } from './source-frames.fixture.ts';
import { Timeline } from './timeline.ts';

function makeTimeline(partTargetMs = 500) {
  const frames: Frame[] = [];
  const options = { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(partTargetMs), tracksMax: 4 };
  const timeline = new Timeline({ frame: (frame) => frames.push(frame) }, options);
  return { timeline, frames };
}

const segmentsOf = (frames: readonly Frame[]): SegmentStamp[] => [...new Set(frames.map((frame) => frame.segment))];
const msOf = (frame: Frame): number => ticksToMs(frame.dts, frame.track.timescale);
const videoOf = (frames: readonly Frame[]): Frame[] => frames.filter((frame) => frame.track.kind === 'video');

/** Lead durations of all complete parts, the last of each segment apart. */
function partsOf(frames: readonly Frame[]): { inner: number[]; last: number[] } {
  const starts = frames.filter((frame) => frame.startsPart);
  const parts = { inner: [] as number[], last: [] as number[] };
  for (const [index, start] of starts.entries()) {
    const next = starts[index + 1];
    if (next === undefined) break;
    (next.segment === start.segment ? parts.inner : parts.last).push(msOf(next) - msOf(start));
  }
  return parts;
}

describe('Timeline: segments and parts', () => {
  it('cuts segments at keyframes and names them from the wall clock', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 10_000 });
    const segments = segmentsOf(frames);
    expect(segments.map((segment) => segment.sequence - WALL_ZERO_MS / 1000)).toEqual([0, 1, 2, 3, 4]);
    expect(segments.map((segment) => segment.startMs - WALL_ZERO_MS)).toEqual([0, 2_000, 4_000, 6_000, 8_000]);
    expect(new Set(segments.map((segment) => segment.tracks)).size).toBe(1);
    expect(segments[0]).toMatchObject({
      discontinuity: 0,
      targetDurationS: 2,
      partTargetMs: 500,
      tracks: [videoTrack, audioTrack],
    });
    expect(timeline.jumps).toBe(0);
  });

  it.each([
    [1000 / 24, 500],
    [1000 / 25, 500],
    [1000 / 30, 500],
    [1001 / 30, 500],
    [1000 / 50, 500],
    [1000 / 60, 200],
    [1000 / 30, 333],
  ])('makes parts of at most the target and at least 85 % of it at %f ms a frame, target %i ms', (frameMs, partTargetMs) => {
    const { timeline, frames } = makeTimeline(partTargetMs);
    feed(timeline, { fromMs: 0, untilMs: 30_000, frameMs, keyframeMs: frameMs * 60 });
    const { inner, last } = partsOf(frames);
    expect(inner.length).toBeGreaterThan(20);
    expect(Math.max(...inner, ...last)).toBeLessThanOrEqual(partTargetMs + 0.02);
    expect(Math.min(...inner)).toBeGreaterThanOrEqual(partTargetMs * 0.85);
  });

  it('numbers parts from 0 in each segment and starts each at a lead frame', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 6_000 });
    let previous: Frame | undefined;
    for (const frame of frames) {
      if (frame.startsPart) {
        expect(frame.track.kind).toBe('video');
        expect(frame.part).toBe(previous?.segment === frame.segment ? previous.part + 1 : 0);
      } else expect(frame).toMatchObject({ part: previous?.part, segment: previous?.segment });
      previous = frame;
    }
  });

  it('lets the target duration grow with long GOPs, never shrink', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 20_000, keyframeMs: 5_000 });
    feed(timeline, { fromMs: 20_000, untilMs: 30_000, keyframeMs: 2_000 });
    expect(segmentsOf(frames).map((segment) => segment.targetDurationS)).toEqual([2, 5, 5, 5, 5, 5, 5, 5, 5]);
  });

  it('cuts a GOP of more than 30 s in its middle', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 70_000, keyframeMs: 1_000_000 });
    expect(segmentsOf(frames)).toHaveLength(3);
    expect(new Set(frames.map((frame) => frame.segment.discontinuity)).size).toBe(1);
  });
});

describe('Timeline: drift', () => {
  it('tells how far a source runs away from the clock, and begins anew with the next one', () => {
    const { timeline } = makeTimeline();
    for (let ms = 0; ms < 21_000; ms += 40) {
      timeline.write(sourceFrame(videoTrack, ms * 1.01, ms % 2_000 === 0), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
    }
    expect(timeline.driftMs).toBeGreaterThan(100);
    expect(timeline.driftMs).toBeLessThan(200);
    timeline.newSource();
    expect(timeline.driftMs).toBe(0);
    feed(timeline, { fromMs: 21_000, untilMs: 42_000, sourceOffsetMs: 5_000 });
    expect(Math.round(timeline.driftMs)).toBe(0);
  });
});

describe('Timeline: tracks', () => {
  it('drops what comes before the first keyframe', () => {
    const { timeline, frames } = makeTimeline();
    timeline.write(sourceFrame(videoTrack, 0, false), monotonicMs(0), wallMs(WALL_ZERO_MS));
    timeline.write(sourceFrame(audioTrack, 0, true), monotonicMs(0), wallMs(WALL_ZERO_MS));
    expect(frames).toEqual([]);
    expect(timeline.droppedFrames).toBe(2);
    feed(timeline, { fromMs: 40, untilMs: 100 });
    expect(frames[0]).toMatchObject({ isKeyframe: true, track: videoTrack, part: 0, startsPart: true });
  });

  it('has both tracks in the first segment, whichever comes first', () => {
    const { timeline, frames } = makeTimeline();
    timeline.write(sourceFrame(videoTrack, 0, true), monotonicMs(0), wallMs(WALL_ZERO_MS));
    expect(frames).toEqual([]);
    timeline.write(sourceFrame(audioTrack, 0, true), monotonicMs(5), wallMs(WALL_ZERO_MS));
    expect(frames.map((frame) => frame.track)).toEqual([videoTrack, audioTrack]);
    expect(frames[0]?.segment.tracks).toEqual([videoTrack, audioTrack]);
  });

  it('waits a second for a second track and then starts with one', () => {
    for (const only of [{ audio: undefined }, { video: undefined }]) {
      const { timeline, frames } = makeTimeline();
      feed(timeline, { fromMs: 0, untilMs: 900, ...only });
      expect(frames).toEqual([]);
      feed(timeline, { fromMs: 960, untilMs: 8_000, ...only });
      expect(frames[0]?.segment.tracks).toHaveLength(1);
      expect(segmentsOf(frames).length).toBeGreaterThanOrEqual(3);
    }
  });

  it('takes in a late video track at its keyframe, which leads from there on', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 3_000, video: undefined });
    feed(timeline, { fromMs: 3_000, untilMs: 6_000 });
    const late = frames.find((frame) => frame.track.kind === 'video');
    expect(late).toMatchObject({
      startsPart: true,
      isKeyframe: true,
      segment: { discontinuity: 1, tracks: [videoTrack, audioTrack] },
    });
  });

  it('takes in a late audio track at the next keyframe', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 3_000, audio: undefined });
    for (let ms = 3_000; ms < 6_000; ms += 20) {
      timeline.write(sourceFrame(audioTrack, ms, true), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
      if (ms % 40 === 0) timeline.write(sourceFrame(videoTrack, ms, ms % 2_000 === 0), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
    }
    const first = frames.findIndex((frame) => frame.track.kind === 'audio');
    expect(frames[first]?.segment).toMatchObject({ discontinuity: 1, tracks: [videoTrack, audioTrack] });
    expect(frames[first - 1]).toMatchObject({ isKeyframe: true, startsPart: true });
  });

  it('begins a discontinuity where a configuration changes, and not where it is merely repeated', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 4_000 });
    feed(timeline, { fromMs: 4_000, untilMs: 8_000, video: { ...videoTrack, config: videoTrack.config.slice() } });
    expect(frames.at(-1)?.segment.discontinuity).toBe(0);
    const changed = { ...videoTrack, width: 640, height: 360 };
    feed(timeline, { fromMs: 8_000, untilMs: 12_000, video: changed });
    expect(frames.at(-1)?.segment).toMatchObject({ discontinuity: 1, tracks: [changed, audioTrack] });
    for (const frame of frames) expect(frame.segment.tracks).toContain(frame.track);
  });

  it('goes on with audio when the video dries up, and takes it back', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 4_000 });
    feed(timeline, { fromMs: 4_000, untilMs: 20_000, video: undefined });
    expect(frames.at(-1)?.segment).toMatchObject({ discontinuity: 1, tracks: [audioTrack] });
    feed(timeline, { fromMs: 20_000, untilMs: 24_000 });
    expect(frames.at(-1)?.segment).toMatchObject({ discontinuity: 2, tracks: [videoTrack, audioTrack] });
  });

  it('drops frames of more tracks than it may have', () => {
    const { timeline } = makeTimeline();
    for (let id = 10; id < 20; id++) timeline.write(sourceFrame({ ...audioTrack, id }, 0, true), monotonicMs(0), wallMs(WALL_ZERO_MS));
    expect(timeline.droppedFrames).toBe(6);
  });
});

describe('Timeline: clocks', () => {
  it('keeps audio and video in sync over a jump forward and one back, with a discontinuity at the next keyframe', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 5_000 });
    feed(timeline, { fromMs: 5_000, untilMs: 10_000, sourceOffsetMs: 3_600_000 });
    expect(timeline.jumps).toBe(1);
    feed(timeline, { fromMs: 10_000, untilMs: 15_000, sourceOffsetMs: -7_000 });
    expect(timeline.jumps).toBe(2);
    expect(frames.at(-1)?.segment.discontinuity).toBe(2);
    for (const frame of frames) expect(msOf(frame) - 1_000).toBeCloseTo(frame.receivedMs, -2);
    const starts = segmentsOf(frames).map((segment) => segment.startMs);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  });

  it('holds still when the tracks of a source jump one after the other', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 5_000 });
    for (let ms = 5_000; ms < 8_000; ms += 20) {
      const audioMs = ms < 5_500 ? ms : ms + 90_000;
      timeline.write(sourceFrame(videoTrack, ms + 90_000, ms % 1_000 === 0), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
      timeline.write(sourceFrame(audioTrack, audioMs, true), monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
    }
    expect(timeline.jumps).toBe(1);
    for (const frame of frames) expect(msOf(frame) - 1_000).toBeCloseTo(frame.receivedMs, -2);
  });

  it('takes small steps back as jitter', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 4_000 });
    timeline.write(sourceFrame(videoTrack, 3_900, false), monotonicMs(4_000), wallMs(WALL_ZERO_MS + 4_000));
    expect(timeline.jumps).toBe(0);
    const [before, after] = videoOf(frames).slice(-2);
    expect(after?.dts).toBe((before?.dts ?? 0) + 1);
    expect(after?.pts).toBeGreaterThanOrEqual(after?.dts ?? Number.POSITIVE_INFINITY);
  });

  it('gives greater numbers than anybody before, behind a discontinuity, where it takes the place of another', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 4_000 });
    timeline.renumber({ discontinuity: 7 });
    timeline.write(sourceFrame(videoTrack, 4_000, true), monotonicMs(4_000), wallMs(WALL_ZERO_MS + 60_000));
    expect(frames.at(-1)?.segment).toMatchObject({ sequence: FIRST_NUMBER + 60, discontinuity: 8 });
    timeline.write(sourceFrame(videoTrack, 6_000, true), monotonicMs(6_000), wallMs(WALL_ZERO_MS + 62_000));
    expect(frames.at(-1)?.segment).toMatchObject({ sequence: FIRST_NUMBER + 61, discontinuity: 8 });
  });

  it('goes on with the times of a stream that began elsewhere', () => {
    const frames: Frame[] = [];
    const options = { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 };
    const out = { frame: (frame: Frame): void => void frames.push(frame) };
    const timeline = new Timeline(out, { ...options, startedWallMs: wallMs(WALL_ZERO_MS - 3_600_000) });
    feed(timeline, { fromMs: 0, untilMs: 4_000 });
    expect(frames.length).toBeGreaterThan(10);
    expect(msOf(frames[0] as Frame)).toBe(3_601_000);
    expect(frames[0]?.segment).toMatchObject({ sequence: FIRST_NUMBER, startMs: WALL_ZERO_MS });
  });

  it('goes on after a change of source at the last time plus what has passed', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 5_000 });
    const before = frames.at(-1)?.segment;
    timeline.newSource();
    feed(timeline, { fromMs: 9_000, untilMs: 12_000, sourceOffsetMs: -9_000 });
    const first = frames.find((frame) => frame.segment.discontinuity === 1);
    expect(first).toMatchObject({
      isKeyframe: true,
      startsPart: true,
      segment: { sequence: (before?.sequence ?? 0) + 1, targetDurationS: 2 },
    });
    expect(msOf(first as Frame)).toBeCloseTo(10_000, -2);
    expect((first?.segment.startMs ?? 0) - WALL_ZERO_MS).toBeCloseTo(9_000, -2);
  });

  it('sets PROGRAM-DATE-TIME anew when the media clock drifts from the wall clock', () => {
    const { timeline, frames } = makeTimeline();
    feed(timeline, { fromMs: 0, untilMs: 3_000 });
    timeline.write(sourceFrame(videoTrack, 4_000, true), monotonicMs(4_000), wallMs(WALL_ZERO_MS + 9_000));
    expect(frames.at(-1)?.segment.startMs).toBe(WALL_ZERO_MS + 9_000);
  });

  it('keeps its promises whatever the source does', () => {
    const step = fc.record({
      track: fc.constantFrom(
        videoTrack,
        audioTrack,
        { ...videoTrack, width: 640 },
        { ...audioTrack, timescale: 44_100, sampleRate: 44_100 },
      ),
      ms: fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: -1_000_000, max: 100_000_000 })),
      compositionTicks: fc.integer({ min: -900_000, max: 9_000_000 }),
      isKeyframe: fc.boolean(),
      elapsedMs: fc.integer({ min: 0, max: 3_000 }),
      isNewSource: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { timeline, frames } = makeTimeline();
        let now = 0;
        for (const { track, ms, compositionTicks, isKeyframe, elapsedMs, isNewSource } of steps) {
          now += elapsedMs;
          if (isNewSource === 0) timeline.newSource();
          const frame = sourceFrame(track, ms, isKeyframe || track.kind === 'audio');
          const pts = (frame.dts + compositionTicks) as typeof frame.pts;
          timeline.write({ ...frame, pts }, monotonicMs(now), wallMs(WALL_ZERO_MS + now));
        }
        expectPromises(frames);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});

function expectPromises(frames: readonly Frame[]): void {
  const latestMs = new Map<number, number>();
  let previous: Frame | undefined;
  for (const frame of frames) {
    expect(msOf(frame)).toBeGreaterThan(latestMs.get(frame.track.id) ?? -1);
    latestMs.set(frame.track.id, msOf(frame));
    expect(frame.pts).toBeGreaterThanOrEqual(frame.dts);
    expect(frame.segment.tracks).toContain(frame.track);
    if (previous === undefined || frame.segment !== previous.segment) {
      expect(frame).toMatchObject({ part: 0, startsPart: true });
      if (previous !== undefined) {
        expect(frame.segment.sequence).toBe(previous.segment.sequence + 1);
        expect(frame.segment.discontinuity - previous.segment.discontinuity).toBeOneOf([0, 1]);
        expect(frame.segment.targetDurationS).toBeGreaterThanOrEqual(previous.segment.targetDurationS);
        if (frame.segment.discontinuity === previous.segment.discontinuity) expect(frame.segment.tracks).toBe(previous.segment.tracks);
      }
    } else expect(frame.part - previous.part).toBe(frame.startsPart ? 1 : 0);
    previous = frame;
  }
}
