import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../media/mod.ts';
import type { AudioRung, VideoRung } from '../../transcode/mod.ts';
import { decodeMedia, later, makeSource } from './test-media.fixture.ts';
import { TranscodedStream } from './transcoding.fixture.ts';

const SYNC_MS_MAX = 40;
// Real time, and children that start anew, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 120_000 });
const SECOND = 90_000;
const FRAME_RATE = 25;
const picture = { codec: 'h264', width: 320, height: 180, frameRate: FRAME_RATE, keyframeEvery: FRAME_RATE } as const;
const sound = { codec: 'aac', sampleRate: 48_000, channels: 2 } as const;
const video = (name: string, height: number, changes: Partial<VideoRung> = {}): VideoRung => ({
  name,
  kind: 'video',
  height,
  codec: 'h264',
  bitrateBps: 200_000,
  preset: 'ultrafast',
  encoder: 'libx264',
  ...changes,
});
/** Of 20 ms: there is a beep each second. */
const OPUS_FRAMES_FOR_BEEPS = 140;
const OPUS: AudioRung = { name: 'opus', kind: 'audio', codec: 'opus', bitrateBps: 96_000 };

const running: TranscodedStream[] = [];
const run = (...rungs: readonly (VideoRung | AudioRung)[]): TranscodedStream => {
  const stream = new TranscodedStream(rungs);
  running.push(stream);
  return stream;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((stream) => stream.close()));
});

const ptsOf = (frames: readonly Frame[]): number[] => frames.map(({ pts }) => pts);
const keyframesOf = (frames: readonly Frame[]): number[] => ptsOf(frames.filter(({ isKeyframe }) => isKeyframe));
const lastOf = (frames: readonly Frame[]): number => Math.max(0, ...ptsOf(frames));
/** The last picture's times of a rung lie this far behind the source's at most: what decoders hold back. */
const HELD_BACK = SECOND / 5;

/** The transcoding processes that this one has started, by /proc (Linux). */
const childrenOfThisProcess = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(readProc(name, 'status')))
    .filter((name) => readProc(name, 'cmdline').includes('transcode-worker'))
    .map(Number);

/** Empty for a process that is gone by now. */
function readProc(pid: string, file: 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** When flashes begin, in seconds of the stream's timeline. */
async function flashesOf(frames: readonly Frame[]): Promise<number[]> {
  const { pictures } = await decodeMedia(frames);
  const isBright = (index: number): boolean => (pictures[index]?.luma ?? 0) > 180;
  // Behind pictures that are missing, one can be bright as well as the last one before them.
  const isNew = (index: number): boolean => (pictures[index]?.pts ?? 0) - (pictures[index - 1]?.pts ?? 0) > SECOND / 4;
  return pictures.filter((_, index) => isBright(index) && (!isBright(index - 1) || isNew(index))).map(({ pts }) => pts / SECOND);
}

interface ListedSegment {
  readonly sequence: number;
  readonly startMs: number;
  readonly durationS: number;
}

/** The whole segments of a media playlist. */
function listedIn(media: string): ListedSegment[] {
  const segments = media.matchAll(/PROGRAM-DATE-TIME:(.*Z)\n(?:#EXT-X-PART:.*\n)*#EXTINF:(.*),\n(\d+)\.m4s/g);
  return Array.from(segments, ([, time = '', duration, sequence]) => ({
    sequence: Number(sequence),
    startMs: Date.parse(time),
    durationS: Number(duration),
  }));
}

/** Of each beep, how far the flash nearest to it is away, in ms. */
const apartMs = (beeps: readonly number[], flashes: readonly number[]): number[] =>
  beeps.map((beep) => Math.min(...flashes.map((flash) => Math.abs(flash - beep))) * 1000);

describe('the rungs of a stream as its viewers get them', () => {
  it('each have their size, every picture of the source at its time, its keyframes and segments, and sound in sync', async () => {
    const made = await makeSource({ video: { ...picture, bFrames: 2 }, audio: sound, seconds: 5 });
    const stream = run(video('own', 0), video('120p', 120), video('90p', 90, { frameRateMax: 12.5 }), OPUS);
    const all = ['own', '120p', '90p', 'opus'];
    const played = await stream.playUntil(made.frames, 5, 'all run', () => all.every((name) => (stream.frames.get(name)?.length ?? 0) > 0));
    await stream.play(later(made.frames, played));
    const source = stream.of('source', 'video');
    for (const name of ['own', '120p', '90p']) {
      await stream.until(`${name} is complete`, () => lastOf(stream.of(name, 'video')) >= lastOf(source) - HELD_BACK);
    }
    const sourceBeeps = (await decodeMedia(stream.of('source', 'audio'))).beeps;
    expect(sourceBeeps.length).toBeGreaterThanOrEqual(4);

    for (const [name, size] of [
      ['own', '320x180'],
      ['120p', '214x120'],
      ['90p', '160x90'],
    ] as const) {
      const frames = stream.of(name, 'video');
      const { pictures } = await decodeMedia(frames);
      expect(new Set(pictures.map(({ width, height }) => `${width}x${height}`))).toEqual(new Set([size]));
      const begin = frames[0]?.pts ?? 0;
      const [from, to] = [begin, lastOf(frames)];
      const expected = ptsOf(source).filter((pts) => pts >= from && pts <= to);
      if (name === '90p') expect(frames.length / expected.length).toBeCloseTo(0.5, 1);
      else expect(ptsOf(frames)).toEqual(expected.toSorted((a, b) => a - b));
      expect(keyframesOf(frames)).toEqual(keyframesOf(source).filter((pts) => pts >= from && pts <= to));
      const sequenceOf = new Map(source.map(({ pts, segment }) => [pts, segment.sequence]));
      for (const { pts, segment, isKeyframe } of frames) if (isKeyframe) expect(segment.sequence).toBe(sequenceOf.get(pts));
      // Its sound is the source's, and in sync with its own pictures.
      const heard = await decodeMedia(stream.of(name, 'audio'));
      expect(heard).toMatchObject({ sampleRate: 48_000, channels: 2 });
      expect(heard.beeps.length).toBeGreaterThanOrEqual(3);
      expect(Math.max(...apartMs(heard.beeps.slice(1), await flashesOf(frames)))).toBeLessThan(SYNC_MS_MAX);
    }
    const opus = await decodeMedia(stream.of('opus', 'audio'));
    expect(opus.beeps.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...apartMs(opus.beeps.slice(1), await flashesOf(stream.of('120p', 'video'))))).toBeLessThan(SYNC_MS_MAX);
  });

  it.each([
    ['pictures', { video: picture }, ['90p']],
    ['sound', { audio: sound }, ['opus']],
  ] as const)('of %s alone are those that can be', async (kind, media, rungs) => {
    const made = await makeSource({ ...media, seconds: 3 });
    const stream = run(video('90p', 90), OPUS);
    await stream.playUntil(made.frames, 3, 'a second is made', () => (stream.frames.get(rungs[0])?.length ?? 0) >= FRAME_RATE);
    expect(stream.report()?.rungs.map(({ planned, condition }) => [planned.rung.name, condition])).toEqual([[rungs[0], 'running']]);
    expect(new Set(stream.frames.get(rungs[0])?.map(({ track }) => track.kind))).toEqual(new Set([kind === 'sound' ? 'audio' : 'video']));
  });
});

it('what is pinned gets the only task, and what has no weight is not offered', async () => {
  const made = await makeSource({ video: picture, seconds: 4 });
  const rules = [{ app: '*', stream: '*', rung: '60p', viewersMin: 0, weight: 0 }];
  const pins = [{ stream: 'live/show', rung: '90p', node: undefined }];
  const stream = new TranscodedStream([video('120p', 120), video('90p', 90), video('60p', 60)], {
    tasksMax: 1,
    weights: { v: 1, rules, pins },
  });
  running.push(stream);
  await stream.playUntil(made.frames, 4, 'a second is made', () => stream.of('90p', 'video').length >= FRAME_RATE);
  expect(stream.report()?.rungs.map(({ planned, condition, reason }) => [planned.rung.name, condition, reason])).toEqual([
    ['120p', 'refused', expect.stringMatching(/limit of 1 transcoding tasks/)],
    ['90p', 'running', undefined],
    ['60p', 'refused', 'a weight rule says that it is not to be made'],
  ]);
  expect(stream.of('60p', 'video')).toEqual([]);
});

describe('a source that changes in mid-stream', () => {
  const wide = { video: picture, audio: sound, seconds: 3 } as const;

  it.each([
    ['another size', { video: { ...picture, width: 240 }, audio: sound }, '120x90'],
    ['10 bits', { video: { ...picture, is10Bit: true }, audio: sound }, '160x90'],
    ['another codec', { video: { ...picture, codec: 'vp9' }, audio: sound }, '160x90'],
    ['other channels and another sample rate', { video: picture, audio: { codec: 'aac', sampleRate: 44_100, channels: 1 } }, '160x90'],
    ['another codec of sound', { video: picture, audio: { codec: 'mp3', sampleRate: 44_100, channels: 2 } }, '160x90'],
  ] as const)('%s: the rungs go on behind a discontinuity, in sync', async (_what, changed, size) => {
    const [first, second] = await Promise.all([makeSource(wide), makeSource({ ...changed, seconds: 4 })]);
    const stream = run(video('90p', 90), OPUS);
    const isRunning = (): boolean => stream.of('90p', 'video').length > FRAME_RATE && stream.of('opus', 'audio').length > 0;
    const played = await stream.playUntil(first.frames, 3, 'both run', isRunning);
    const before = stream.frames.get('90p')?.length ?? 0;
    const discontinuity = stream.of('source', 'video')[0]?.segment.discontinuity ?? 0;
    const ofSecond = (frames: readonly Frame[]): Frame[] => frames.filter(({ segment }) => segment.discontinuity > discontinuity);
    const isHeard = (): boolean => ofSecond(stream.of('opus', 'audio')).length >= OPUS_FRAMES_FOR_BEEPS;
    await stream.playUntil(later(second.frames, played), 4, 'two beeps are heard', isHeard);
    const source = stream.of('source', 'video');
    await stream.until('the rung is complete', () => lastOf(stream.of('90p', 'video')) >= lastOf(source) - HELD_BACK);
    const after = ofSecond((stream.frames.get('90p') ?? []).slice(before));
    const pictures = after.filter(({ track }) => track.kind === 'video');
    const decoded = await decodeMedia(pictures);
    expect(new Set(decoded.pictures.map(({ width, height }) => `${width}x${height}`))).toEqual(new Set([size]));
    expect(decoded.format).toBe('yuv420p');
    const { beeps } = await decodeMedia(ofSecond(stream.of('opus', 'audio')));
    expect(beeps.length).toBeGreaterThanOrEqual(2);
    // What the old child had begun is lost with it.
    expect(Math.max(...apartMs(beeps.slice(-2), await flashesOf(pictures)))).toBeLessThan(SYNC_MS_MAX);
    expect(stream.report()?.child).toMatchObject({ state: 'running', restarts: 0, lastFailure: undefined });
  });

  it('a smaller size: what would be enlarged is left out', async () => {
    const [first, second] = await Promise.all([
      makeSource(wide),
      makeSource({ video: { ...picture, width: 160, height: 90 }, seconds: 2 }),
    ]);
    const stream = run(video('120p', 120), video('60p', 60));
    const isRunning = (): boolean => ['120p', '60p'].every((name) => stream.of(name, 'video').length > 0);
    const played = await stream.playUntil(first.frames, 3, 'both run', isRunning);
    await stream.play(later(second.frames, played));
    await stream.until('one is left', () => [...stream.publication.stream.renditions.keys()].join() === '60p');
    expect(stream.report()?.rungs.map(({ planned }) => planned.rung.name)).toEqual(['60p']);
    expect(stream.leftOut()).toMatchObject([{ name: '120p', kind: 'video', code: 'upscale' }]);
  });
});

describe('a source without times', () => {
  it('frames that all have the same time end nothing: rungs go on with the next that have times', async () => {
    const made = await makeSource({ video: picture, audio: sound, seconds: 2 });
    const stream = run(video('90p', 90), OPUS);
    const played = await stream.playUntil(made.frames, 2, 'the rung runs', () => stream.of('90p', 'video').length > 0);
    const [first] = made.frames;
    const timeless = made.frames.map((frame) => {
      const at = Math.round(((first?.dts ?? 0) / (first?.track.timescale ?? 1) + played) * frame.track.timescale) as Frame['dts'];
      return { ...frame, dts: at, pts: at };
    });
    await stream.play(timeless);
    await stream.play(later(made.frames, played + 1));
    const source = stream.of('source', 'video');
    await stream.until('the rung is complete', () => lastOf(stream.of('90p', 'video')) >= lastOf(source) - HELD_BACK);
    const times = stream.of('90p', 'video').map(({ dts }) => dts);
    expect(times.every((dts, index) => dts > (times[index - 1] ?? -1))).toBe(true);
    await decodeMedia(stream.of('90p', 'video').slice(-FRAME_RATE));
    expect(stream.report()?.child).toMatchObject({ state: 'running', lastFailure: undefined });
  });
});

describe('processes that are killed', () => {
  it('are replaced, pictures and sound each by themselves, and their viewers go on', async () => {
    const made = await makeSource({ video: picture, audio: sound, seconds: 3 });
    const stream = run(video('90p', 90), OPUS);
    let played = 0;
    const play = (): Promise<void> => stream.play(later(made.frames, 3 * played++));
    const isRunning = (): boolean => stream.of('90p', 'video').length > FRAME_RATE && stream.of('opus', 'audio').length > FRAME_RATE;
    while (!isRunning() && played < 10) await play();
    const [sourceHls, rungHls] = ['source', '90p'].map((name) => stream.packaged(name));
    await play();
    for (const pid of childrenOfThisProcess()) process.kill(pid, 'SIGKILL');
    while ((stream.report()?.child.restarts ?? 0) < 2 && played < 20) await play();
    expect(stream.report()?.child).toMatchObject({ restarts: 2, lastFailure: 'signal SIGKILL' });
    const [pictures, sounds] = [stream.of('90p', 'video'), stream.of('opus', 'audio')].map(lastOf);
    while (played < 22 && (lastOf(stream.of('90p', 'video')) <= (pictures ?? 0) || lastOf(stream.of('opus', 'audio')) <= (sounds ?? 0)))
      await play();
    await play();
    const source = lastOf(stream.of('source', 'video'));
    await stream.until('both are complete', () => {
      const soundMs = lastOf(stream.of('opus', 'audio')) / 48;
      return lastOf(stream.of('90p', 'video')) >= source - HELD_BACK && soundMs >= source / 90 - 200;
    });
    for (const frames of [stream.of('90p', 'video'), stream.of('opus', 'audio')]) {
      expect(frames.every(({ dts }, index) => dts > (frames[index - 1]?.dts ?? -1))).toBe(true);
    }
    const flashes = await flashesOf(stream.of('90p', 'video').slice(-2 * FRAME_RATE));
    const { beeps } = await decodeMedia(stream.of('opus', 'audio').slice(-100));
    expect(Math.max(...apartMs(beeps.slice(-1), flashes))).toBeLessThan(SYNC_MS_MAX);
    expect(stream.report()?.rungs.map(({ condition }) => condition)).toEqual(['running', 'running']);
    expect(stream.report()?.child).toMatchObject({ state: 'running', restarts: 2 });
    // Its times and parameters go on, so there is no discontinuity; its segments have the numbers of the source's.
    const listed = listedIn(rungHls?.() ?? '');
    expect(rungHls?.()).not.toContain('#EXT-X-DISCONTINUITY\n');
    expect(rungHls?.().match(/#EXT-X-MAP/g)).toHaveLength(1);
    expect(listed.length).toBeGreaterThanOrEqual(3);
    expect(listed.map(({ sequence }) => sequence)).toEqual(listed.map((_, index) => (listed[0]?.sequence ?? 0) + index));
    const sources = new Map(listedIn(sourceHls?.() ?? '').map((segment) => [segment.sequence, segment]));
    for (const { sequence, startMs } of listed) {
      const source = sources.get(sequence);
      expect(startMs).toBeGreaterThanOrEqual((source?.startMs ?? Number.NaN) - 2);
      expect(startMs).toBeLessThan((source?.startMs ?? Number.NaN) + (source?.durationS ?? 0) * 1_000);
    }
  });
});
