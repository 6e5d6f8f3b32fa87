import { describe, expect, it } from 'vitest';
import { durationMs, mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import { FollowerTimeline, shifted } from './follower-timeline.ts';
import type { Frame, SourceFrame } from './frame.ts';
import { audioTrack, sourceFrame, videoTrack, WALL_ZERO_MS } from './source-frames.fixture.ts';
import { Timeline } from './timeline.ts';
import type { AudioTrack, Track, VideoTrack } from './track.ts';

const FRAME_MS = 40;
const small: VideoTrack = { ...videoTrack, width: 640, height: 360 };
const smaller: VideoTrack = { ...videoTrack, width: 320, height: 180 };

/** A source on its timeline and a rendition that follows it, in virtual time; both show the monotonic clock. */
class Scene {
  readonly source: Frame[] = [];
  readonly frames: Frame[] = [];
  readonly follower = new FollowerTimeline({ frame: (frame) => this.frames.push(frame) });
  readonly timeline = new Timeline(
    {
      frame: (frame) => {
        this.source.push(frame);
        this.follower.follow(frame);
      },
    },
    { segmentTargetMs: durationMs(2_000), partTargetMs: durationMs(500), tracksMax: 4 },
  );
  now = 0;

  /** Source (and rendition, `delayMs` behind it and `offsetMs` beside its times) until `untilMs`. Times of the timeline begin at 1 s. */
  play(
    untilMs: number,
    options: {
      delayMs?: number;
      offsetMs?: number;
      keyframeMs?: number;
      track?: VideoTrack;
      isKeyframe?: (ms: number) => boolean;
      audio?: AudioTrack | undefined;
      sourceStops?: boolean;
      renditionStops?: boolean;
    } = {},
  ): void {
    const { delayMs = 0, offsetMs = 0, keyframeMs = 2_000, track = small, sourceStops = false, renditionStops = false } = options;
    const audio = 'audio' in options ? options.audio : audioTrack;
    const { isKeyframe = (ms) => ms % keyframeMs === 0 } = options;
    for (; this.now < untilMs; this.now += 20) {
      const { now } = this;
      if (!sourceStops && now % FRAME_MS === 0) this.put(videoTrack, now, now % 2_000 === 0);
      if (!sourceStops && audio !== undefined) this.put(audio, now, true);
      const ms = now - delayMs;
      if (!renditionStops && ms >= 0 && ms % FRAME_MS === 0) this.rendition(track, ms + offsetMs, isKeyframe(ms));
    }
  }

  put(track: Track, ms: number, isKeyframe: boolean): void {
    this.timeline.write(sourceFrame(track, ms, isKeyframe), monotonicMs(this.now), wallMs(WALL_ZERO_MS + this.now));
  }

  rendition(track: VideoTrack, ms: number, isKeyframe: boolean): void {
    const { shiftMs } = this.timeline;
    if (shiftMs !== undefined) this.follower.write(shifted(sourceFrame(track, ms, isKeyframe), shiftMs), this.now);
  }

  get video(): Frame[] {
    return this.frames.filter(({ track }) => track.kind === 'video');
  }
}

const msOf = ({ dts, track }: SourceFrame): number => Math.round((dts * 1_000) / track.timescale);
const placeOf = ({ segment, part, startsPart }: Frame): string => `${segment.sequence}.${part}${startsPart ? '!' : ''}`;
const placesByMs = (frames: readonly Frame[]): Map<number, string> => new Map(frames.map((frame) => [msOf(frame), placeOf(frame)]));
const videoOf = (frames: readonly Frame[]): Frame[] => frames.filter(({ track }) => track.kind === 'video');

/** Each frame of the rendition has the place of the source's frame of the same time. */
function expectSamePlaces(scene: Scene): void {
  const source = placesByMs(videoOf(scene.source));
  for (const [ms, place] of placesByMs(scene.video)) expect([ms, place]).toEqual([ms, source.get(ms)]);
}

/** What every sink relies on: places go forward, each part begins once, tracks are one array for each configuration. */
function expectConsistent(frames: readonly Frame[]): void {
  let last: Frame | undefined;
  for (const frame of frames) {
    const isNewPart = last === undefined || last.segment.sequence !== frame.segment.sequence || last.part !== frame.part;
    expect(frame.startsPart, `${placeOf(frame)} behind ${last === undefined ? 'nothing' : placeOf(last)}`).toBe(isNewPart);
    if (last !== undefined && isNewPart) {
      const isForward = frame.segment.sequence > last.segment.sequence || frame.part > last.part;
      expect(isForward).toBe(true);
    }
    last = frame;
  }
}

describe('FollowerTimeline', () => {
  it('gives frames the places of the source, with its stamps and its sound but tracks of its own', () => {
    const scene = new Scene();
    scene.play(6_000);
    expectSamePlaces(scene);
    expectConsistent(scene.frames);
    expect(scene.video.length).toBe(150);
    const [first] = scene.video;
    const [source] = scene.source;
    expect(first?.segment).toMatchObject({ ...source?.segment, tracks: [small, audioTrack] });
    expect(new Set(scene.frames.map(({ segment }) => segment.tracks)).size).toBe(1);
    expect(scene.frames.filter(({ track }) => track.kind === 'audio').length).toBeGreaterThan(250);
  });

  it.each([60, 140, 500])('takes frames that come %i ms late, as from a transcoder', (delayMs) => {
    const scene = new Scene();
    scene.play(8_000, { delayMs });
    expectSamePlaces(scene);
    expectConsistent(scene.frames);
    expect(scene.video.length).toBeGreaterThan(180);
    expect(scene.follower.droppedFrames).toBeLessThanOrEqual(1);
    expect(scene.video.at(-1)?.receivedMs).toBeGreaterThan(7_900);
  });

  it('lets frames that are ahead of the source wait for it', () => {
    const scene = new Scene();
    scene.play(2_000);
    const before = scene.video.length;
    for (let ms = 2_000; ms < 2_400; ms += FRAME_MS) scene.rendition(small, ms, ms === 2_000);
    expect(scene.video.length).toBe(before);
    scene.play(4_000, { renditionStops: true });
    expectSamePlaces(scene);
    expect(scene.video.length).toBe(before + 10);
    expect(scene.video.at(-1)?.receivedMs).toBe(2_000);
  });

  it.each([
    [16, 2],
    [-16, 2],
  ])('takes keyframes %i ms beside those of the source for %i aligned segments', (offsetMs, segments) => {
    const scene = new Scene();
    scene.play(4_000, { offsetMs });
    expect(new Set(scene.video.map(({ segment }) => segment.sequence)).size).toBe(segments);
    if (segments > 0)
      expect(scene.video.filter(({ part, startsPart }) => part === 0 && startsPart).map(({ isKeyframe }) => isKeyframe)).toEqual([
        true,
        true,
      ]);
  });

  it('begins at its first keyframe, also one in the middle of a segment, and stays in step when later ones are not aligned', () => {
    const scene = new Scene();
    scene.play(2_000, { isKeyframe: (ms) => ms === 480 });
    expect(scene.video[0]).toMatchObject({ isKeyframe: true, startsPart: true });
    expect(scene.video.length).toBe(38);
    scene.play(4_000);
    scene.play(8_000, { isKeyframe: (ms) => ms % 2_000 === 1_000 });
    expect(scene.video.length).toBe(188);
    expectSamePlaces(scene);
    expectConsistent(scene.frames);
  });

  it('takes a changed configuration at an aligned keyframe only', () => {
    const scene = new Scene();
    scene.play(3_000);
    // The encoder changes its size in the middle of a segment; its next keyframe is misaligned, the one behind that aligned.
    scene.play(8_000, { track: smaller, isKeyframe: (ms) => ms === 3_000 || ms === 4_400 || ms === 6_000 });
    const widths = scene.video.map((frame) => [msOf(frame), frame.track.kind === 'video' ? frame.track.width : 0]);
    expect(widths.filter(([, width]) => width === 320)[0]?.[0]).toBe(7_000);
    expect(widths.filter(([, width]) => width === 640).at(-1)?.[0]).toBe(3_960);
    expect(scene.follower.droppedFrames).toBe(75);
    expectConsistent(scene.frames);
    for (const frame of scene.frames) expect(frame.segment.tracks).toContain(frame.track);
  });

  it('has the discontinuities of its source and no other, also where its configuration changes', () => {
    const scene = new Scene();
    scene.play(4_000);
    scene.play(8_000, { track: smaller });
    expect(new Set(scene.frames.map(({ segment }) => segment.tracks)).size).toBe(2);
    expect(new Set(scene.frames.map(({ segment }) => segment.discontinuity))).toEqual(new Set([0]));
    expectSamePlaces(scene);
    expectConsistent(scene.frames);
    scene.timeline.newSource();
    scene.now = 10_000;
    scene.play(12_000, { track: small });
    expect([scene.source, scene.frames].map((frames) => frames.at(-1)?.segment.discontinuity)).toEqual([1, 1]);
  });

  it('takes an equal configuration in another object for the same', () => {
    const scene = new Scene();
    scene.play(3_000);
    scene.play(6_000, { track: { ...small } });
    expect(scene.video.length).toBe(150);
    expect(new Set(scene.frames.map(({ segment }) => segment.tracks)).size).toBe(1);
  });

  it('follows the source over a discontinuity', () => {
    const scene = new Scene();
    scene.play(3_000);
    scene.timeline.newSource();
    scene.now = 4_000;
    scene.play(10_000);
    const discontinuities = [...new Set(scene.video.map(({ segment }) => segment.discontinuity))];
    expect(discontinuities).toEqual([0, 1]);
    expectSamePlaces(scene);
    expectConsistent(scene.frames);
  });

  it('goes on when the clock of the source jumps back', () => {
    const scene = new Scene();
    scene.play(4_000);
    const head = msOf(scene.source.at(-1) as Frame);
    // The source has jumped by a minute, the rendition not yet: its times seem to be in the future.
    for (let ms = head; ms < head + 400; ms += FRAME_MS) scene.follower.write(sourceFrame(small, ms + 60_000, false), scene.now);
    scene.play(8_000);
    expect(scene.video.filter((frame) => msOf(frame) >= 7_000)).toHaveLength(50);
    expectConsistent(scene.frames);
  });

  it('drops frames whose times do not grow, and what refers to them', () => {
    const scene = new Scene();
    scene.play(3_000);
    const before = scene.video.length;
    scene.rendition(small, 2_960, false);
    scene.rendition(small, 1_000, true);
    scene.play(3_960);
    expect(scene.video.length).toBe(before);
    scene.play(5_000);
    expect(scene.video.slice(before).map(msOf)[0]).toBe(5_000);
  });

  it('keeps a bounded number of frames for a source that has stopped, and goes on with a keyframe', () => {
    const scene = new Scene();
    scene.play(2_000, { audio: undefined });
    const before = scene.video.length;
    for (let n = 0; n < 1_000; n++) scene.rendition(small, 2_000 + n * 9, n === 0);
    expect(scene.video.length).toBe(before);
    scene.play(14_000, { renditionStops: true, audio: undefined });
    expect(scene.video.length).toBe(before);
    expect(scene.follower.droppedFrames).toBe(1_000);
  });

  it('lets the sound stop some time after the pictures', () => {
    const scene = new Scene();
    scene.play(4_000);
    scene.play(40_000, { renditionStops: true });
    const last = scene.frames.at(-1) as Frame;
    expect(last.track.kind).toBe('audio');
    expect(msOf(last)).toBeLessThanOrEqual(15_000);
  });

  it('drops frames from before everything it knows', () => {
    const scene = new Scene();
    scene.play(2_000, { renditionStops: true });
    scene.follower.write(sourceFrame(small, 0, true), 0);
    expect(scene.frames).toEqual([]);
    expect(scene.follower.droppedFrames).toBe(1);
  });
});

describe('shifted', () => {
  it('shifts both times in ticks of the track', () => {
    const frame = { ...sourceFrame(videoTrack, 1_000, true), pts: mediaTime(93_000) };
    expect(shifted(frame, -500)).toMatchObject({ dts: 45_000, pts: 48_000, payload: frame.payload });
  });
});
