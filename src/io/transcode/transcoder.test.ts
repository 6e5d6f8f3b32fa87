import { afterEach, describe, expect, it } from 'vitest';
import type { Frame, SourceFrame } from '../../media/mod.ts';
import { decodeMedia, later, makeSource, type Source, type SourceOptions } from './test-media.fixture.ts';
import { audioRung, RunningTranscoder, videoRung } from './transcoder.fixture.ts';

const FRAME_RATE = 25;
const SECOND = 90_000;
const SYNC_MS_MAX = 40;
const picture = { codec: 'h264', width: 320, height: 180, frameRate: FRAME_RATE, keyframeEvery: FRAME_RATE } as const;
const sound = { codec: 'aac', sampleRate: 48_000, channels: 2 } as const;

const running: RunningTranscoder[] = [];
const run = (): RunningTranscoder => {
  const transcoder = new RunningTranscoder();
  running.push(transcoder);
  return transcoder;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ transcoder }) => transcoder.close()));
});

const sources = new Map<string, Promise<Source>>();
const source = (options: SourceOptions): Promise<Source> => {
  const key = JSON.stringify(options);
  const made = sources.get(key) ?? makeSource(options);
  sources.set(key, made);
  return made;
};

const pictures = (frames: readonly (Frame | SourceFrame)[]): (Frame | SourceFrame)[] =>
  frames.filter(({ track }) => track.kind === 'video');
const keyframes = (frames: readonly (Frame | SourceFrame)[]): { dts: number; pts: number }[] =>
  pictures(frames)
    .filter(({ isKeyframe }) => isKeyframe)
    .map(({ dts, pts }) => ({ dts, pts }));
const shownTimes = (frames: readonly (Frame | SourceFrame)[]): number[] => frames.map(({ pts }) => pts).toSorted((a, b) => a - b);
const flashes = (decoded: readonly { pts: number; luma: number }[]): number[] =>
  decoded.filter(({ luma }, index) => luma > 180 && !((decoded[index - 1]?.luma ?? 0) > 180)).map(({ pts }) => pts / SECOND);

/** That rungs have one picture for each of the source's, of its time, and keyframes where it has them. */
async function expectFaithful(frames: readonly SourceFrame[], of: readonly Frame[], width: number, height: number): Promise<void> {
  const decoded = await decodeMedia(frames);
  expect(decoded.format).toBe('yuv420p');
  expect(new Set(decoded.pictures.map((each) => `${each.width}x${each.height}`))).toEqual(new Set([`${width}x${height}`]));
  expect(decoded.pictures.some(({ type, isInterlaced }) => type === 'B' || isInterlaced)).toBe(false);
  expect(frames.map(({ pts }) => pts)).toEqual(shownTimes(pictures(of)).slice(0, frames.length));
  expect(decoded.pictures.map(({ pts }) => pts)).toEqual(frames.map(({ pts }) => pts));
  expect(keyframes(frames)).toEqual(keyframes(of).slice(0, keyframes(frames).length));
  expect(frames[0]?.track).toMatchObject({ kind: 'video', id: 1, width, height, timescale: SECOND });
}

describe('the rungs of a source with B-frames and AAC', () => {
  it('have the planned sizes, no B-frames, the source’s times and keyframes, and sound in sync', async () => {
    const made = await source({ video: { ...picture, bFrames: 2 }, audio: sound, seconds: 3 });
    expect(made.frames.some(({ dts, pts }) => pts > dts)).toBe(true);
    const rungs = [videoRung('180p', 180), videoRung('90p', 90), videoRung('slow', 120, { frameRateMax: 12.5 }), audioRung('opus', 'opus')];
    const it = run().start(made.tracks, rungs).feed(made.frames);
    // The decoder holds two pictures back, for the B-frames that might come.
    await it.untilFrames('180p', 3 * FRAME_RATE - 2);
    await it.untilFrames('90p', 3 * FRAME_RATE - 2);
    await it.untilFrames('opus', 145);
    await expectFaithful(it.of('180p'), made.frames, 320, 180);
    await expectFaithful(it.of('90p'), made.frames, 160, 90);
    expect(keyframes(it.of('slow'))).toEqual(keyframes(made.frames));
    expect(it.of('slow').length).toBeGreaterThanOrEqual(37);
    expect(it.of('slow').length).toBeLessThanOrEqual(40);
    const heard = await decodeMedia(it.of('opus'));
    const seen = flashes((await decodeMedia(it.of('180p'))).pictures);
    expect(seen).toEqual([10, 11, 12]);
    expect(heard).toMatchObject({ sampleRate: 48_000, channels: 2 });
    expect(heard.beeps.map((beep, index) => Math.abs(beep - (seen[index] ?? 0)) * 1000 < SYNC_MS_MAX)).toEqual([true, true, true]);
    expect(it.failures).toEqual([]);
  });
});

describe('codecs', () => {
  it.each(['vp8', 'vp9', 'av1', 'hevc'] as const)('%s is decoded, and encoded with keyframes where the source has them', async (codec) => {
    const made = await source({ video: { ...picture, codec }, seconds: 2 });
    const it = run()
      .start(made.tracks, [videoRung('same', 90, { codec }), videoRung('h264', 90)])
      .feed(made.frames);
    await it.untilFrames('same', 2 * FRAME_RATE - 4);
    await it.untilFrames('h264', 2 * FRAME_RATE - 4);
    await expectFaithful(it.of('same'), made.frames, 160, 90);
    await expectFaithful(it.of('h264'), made.frames, 160, 90);
    expect(it.of('same')[0]?.track.codec).toBe(codec);
  });

  it.each([
    ['opus', 'aac', 48_000, 2],
    ['mp3', 'opus', 44_100, 2],
    ['aac', 'opus', 44_100, 1],
    ['mp3', 'aac', 44_100, 1],
  ] as const)('sound alone: %s becomes %s (%i Hz, %i channels) without a drift', async (from, to, sampleRate, channels) => {
    const made = await source({ audio: { codec: from, sampleRate, channels }, seconds: 3 });
    const it = run()
      .start(made.tracks, [audioRung('sound', to)])
      .feed(made.frames);
    const rate = to === 'opus' ? 48_000 : sampleRate;
    const frameSamples = to === 'opus' ? 960 : 1024;
    await it.untilFrames('sound', Math.floor((2.85 * rate) / frameSamples));
    const frames = it.of('sound');
    expect(frames[0]?.track).toMatchObject({ kind: 'audio', id: 2, codec: to, sampleRate: rate, channels });
    expect(new Set(frames.slice(1).map(({ pts }, index) => pts - (frames[index]?.pts ?? 0)))).toEqual(new Set([frameSamples]));
    const { beeps } = await decodeMedia(frames);
    expect(beeps.map((beep) => Math.abs(beep - Math.round(beep)) * 1000 < SYNC_MS_MAX)).toEqual([true, true, true]);
  });
});

describe('pictures of every kind', () => {
  it.each([
    ['10 bits', { is10Bit: true }, 160, 90],
    ['4:2:2', { chroma: '4:2:2' }, 160, 90],
    ['4:4:4', { chroma: '4:4:4' }, 160, 90],
    ['odd sizes', { codec: 'vp9', width: 319, height: 179 }, 160, 90],
    ['interlaced', { isInterlaced: true, width: 320, height: 192 }, 150, 90],
  ] as const)('%s become progressive 8-bit pictures of an even size', async (name, changes, width, height) => {
    const made = await source({ video: { ...picture, ...changes }, seconds: 2 });
    const given = await decodeMedia(pictures(made.frames));
    const formats: Partial<Record<string, string>> = { '10 bits': 'yuv420p10le', '4:2:2': 'yuv422p', '4:4:4': 'yuv444p' };
    expect(given.format).toBe(formats[name] ?? 'yuv420p');
    expect(given.pictures.every(({ isInterlaced }) => isInterlaced === (name === 'interlaced'))).toBe(true);
    const it = run()
      .start(made.tracks, [videoRung('low', height, { width })])
      .feed(made.frames);
    await it.untilFrames('low', 2 * FRAME_RATE - 4);
    await expectFaithful(it.of('low'), made.frames, width, height);
  });

  it('a frame rate that varies stays as it is', async () => {
    const made = await source({ video: picture, seconds: 2 });
    const varying = made.frames.map((frame, index) => ({ ...frame, dts: frame.dts, pts: (frame.pts + (index % 3) * 500) as Frame['pts'] }));
    const it = run()
      .start(made.tracks, [videoRung('low', 90)])
      .feed(varying);
    await it.untilFrames('low', 2 * FRAME_RATE);
    await expectFaithful(it.of('low'), varying, 160, 90);
  });
});

describe('changes in mid-stream', () => {
  it('a rung that is added begins with the next keyframe, and the others do not notice', async () => {
    const made = await source({ video: picture, seconds: 3 });
    const [first, second] = [made.frames.slice(0, 30), made.frames.slice(30)];
    const it = run()
      .start(made.tracks, [videoRung('old', 180)])
      .feed(first);
    await it.untilFrames('old', 30);
    it.transcoder.setRungs([videoRung('old', 180), videoRung('new', 90), audioRung('none', 'opus')]);
    it.feed(second);
    await it.untilFrames('new', FRAME_RATE);
    await it.untilFrames('old', 3 * FRAME_RATE);
    expect(it.of('new')[0]).toMatchObject({ isKeyframe: true, pts: 12 * SECOND });
    await expectFaithful(it.of('old'), made.frames, 320, 180);
    expect(new Set(it.of('old').map(({ track }) => track)).size).toBe(1);
  });

  it('a rung has a keyframe where it is asked for, or begins there, also between B-frames of the source', async () => {
    const made = await source({ video: { ...picture, bFrames: 2 }, seconds: 3 });
    const at = (made.frames[30] as Frame).dts;
    const it = run()
      .start(made.tracks, [videoRung('old', 180)])
      .feed(made.frames.slice(0, 30));
    it.transcoder.setRungs([videoRung('old', 180), videoRung('new', 90)]);
    it.transcoder.keyframesAt(new Set(['old', 'new']), at);
    it.feed(made.frames.slice(30));
    await it.untilFrames('new', FRAME_RATE);
    await it.untilFrames('old', 3 * FRAME_RATE - 2);
    const decodingTimes = (rung: string): number[] => keyframes(it.of(rung)).map(({ dts }) => dts);
    expect(decodingTimes('old')).toEqual([...keyframes(made.frames).map(({ dts }) => dts), at].toSorted((a, b) => a - b));
    expect(decodingTimes('new')).toEqual(decodingTimes('old').filter((dts) => dts >= at));
    expect(it.of('new')[0]?.dts).toBe(at);
  });

  it('a rung that is removed gives no more frames, and comes back with a keyframe', async () => {
    const made = await source({ video: picture, seconds: 3 });
    const it = run()
      .start(made.tracks, [videoRung('stays', 90), videoRung('goes', 120)])
      .feed(made.frames.slice(0, 20));
    await it.untilFrames('goes', 20);
    it.transcoder.setRungs([videoRung('stays', 90)]);
    it.feed(made.frames.slice(20, 40));
    await it.untilFrames('stays', 40);
    expect(it.of('goes')).toHaveLength(20);
    it.transcoder.setRungs([videoRung('stays', 90), videoRung('goes', 120)]);
    it.feed(made.frames.slice(40));
    await it.untilFrames('goes', 21);
    expect(it.of('goes')[20]).toMatchObject({ isKeyframe: true, pts: 12 * SECOND });
  });

  it('another size, depth and codec of the source: a rung goes on, its width follows the shape', async () => {
    const wide = await source({ video: picture, audio: sound, seconds: 1 });
    const small = await source({ video: { ...picture, codec: 'hevc', width: 240, height: 180, is10Bit: true }, seconds: 1 });
    const it = run().start(wide.tracks, [videoRung('low', 90), audioRung('opus', 'opus')]);
    it.feed(wide.frames).feed(later(small.frames, 1));
    await it.untilFrames('low', 2 * FRAME_RATE - 4);
    const [before, after] = [it.of('low').slice(0, FRAME_RATE), it.of('low').slice(FRAME_RATE)];
    await expectFaithful(before, wide.frames, 160, 90);
    await expectFaithful(after, later(small.frames, 1), 120, 90);
    expect(it.failures).toEqual([]);
  });

  it('the same size of another codec leaves a rung its track', async () => {
    const first = await source({ video: picture, seconds: 1 });
    const second = await source({ video: { ...picture, codec: 'vp8' }, seconds: 1 });
    const it = run()
      .start(first.tracks, [videoRung('low', 90)])
      .feed(first.frames)
      .feed(later(second.frames, 1));
    await it.untilFrames('low', 2 * FRAME_RATE);
    expect(new Set(it.of('low').map(({ track }) => track)).size).toBe(1);
    await expectFaithful(it.of('low'), [...first.frames, ...later(second.frames, 1)], 160, 90);
  });

  it('another sample rate and number of channels leave a sound rung as it is', async () => {
    const first = await source({ audio: sound, seconds: 2 });
    const second = await source({ audio: { codec: 'aac', sampleRate: 44_100, channels: 1 }, seconds: 2 });
    const it = run()
      .start(first.tracks, [audioRung('opus', 'opus')])
      .feed(first.frames)
      .feed(later(second.frames, 2));
    await it.untilFrames('opus', 190);
    const { beeps, channels } = await decodeMedia(it.of('opus'));
    expect(channels).toBe(2);
    expect(beeps.map((beep) => Math.round(beep))).toEqual([10, 11, 12, 13]);
    expect(beeps.every((beep) => Math.abs(beep - Math.round(beep)) * 1000 < SYNC_MS_MAX)).toBe(true);
  });

  it('sound is put where its time says behind a gap', async () => {
    const made = await source({ audio: sound, seconds: 2 });
    const it = run()
      .start(made.tracks, [audioRung('opus', 'opus')])
      .feed(made.frames)
      .feed(later(made.frames, 5));
    await it.untilFrames('opus', 180);
    expect((await decodeMedia(it.of('opus'))).beeps.map((beep) => Math.round(beep * 10) / 10)).toEqual([10, 11, 15, 16]);
  });
});

describe('bad input', () => {
  it('corrupt frames are counted, and the next keyframe goes on', async () => {
    const made = await source({ video: picture, seconds: 3 });
    const isBad = (index: number): boolean => index >= 25 && index < 50;
    const corrupt = made.frames.map((frame, index) =>
      isBad(index) ? { ...frame, payload: frame.payload.map((byte, at) => (at < 4 ? byte : byte ^ 0x5a)) } : frame,
    );
    const it = run()
      .start(made.tracks, [videoRung('low', 90)])
      .feed(corrupt);
    await it.until('the last group is there', () => it.of('low').filter(({ pts }) => pts >= 12 * SECOND).length === FRAME_RATE);
    await it.until('corrupt frames are counted', () => it.transcoder.stats().framesCorrupt > 0);
    expect(keyframes(it.of('low')).map(({ pts }) => pts)).toEqual([10 * SECOND, 12 * SECOND]);
    expect(it.of('low').filter(({ pts }) => pts < 11 * SECOND)).toHaveLength(FRAME_RATE);
    await decodeMedia(it.of('low').filter(({ pts }) => pts >= 12 * SECOND));
  });

  it('corrupt and cut sound is left out, and what comes behind it is where its time says', async () => {
    const made = await source({ audio: sound, seconds: 4 });
    const corrupt = made.frames.map((frame, index): Frame => {
      if (index < 60 || index >= 90) return frame;
      const { payload } = frame;
      return { ...frame, payload: index % 2 === 0 ? payload.subarray(0, payload.length >> 1) : payload.map((byte) => byte ^ 0x5a) };
    });
    const it = run()
      .start(made.tracks, [audioRung('opus', 'opus')])
      .feed(corrupt);
    await it.until('the end is there', () => (it.of('opus').at(-1)?.pts ?? 0) >= 13.9 * 48_000);
    await it.until('corrupt frames are counted', () => it.transcoder.stats().framesCorrupt > 0);
    const { beeps } = await decodeMedia(it.of('opus'));
    const ofGoodSound = beeps.filter((beep) => beep < 11.2 || beep > 11.95);
    expect(ofGoodSound.map((beep) => Math.round(beep))).toEqual([10, 11, 12, 13]);
    expect(ofGoodSound.every((beep) => Math.abs(beep - Math.round(beep)) * 1000 < SYNC_MS_MAX)).toBe(true);
    expect(it.exits).toEqual([]);
  });

  it('empty frames, frames without order and equal times end nothing', async () => {
    const made = await source({ video: picture, audio: sound, seconds: 2 });
    const strange = made.frames.map((frame, index): Frame => {
      if (frame.isKeyframe && frame.track.kind === 'video') return frame;
      if (index % 7 === 1) return { ...frame, payload: new Uint8Array() };
      if (index % 7 === 2) return { ...frame, pts: made.frames[index - 1]?.pts ?? frame.pts, dts: frame.dts };
      return index % 7 === 3 ? { ...frame, pts: 0 as Frame['pts'] } : frame;
    });
    const it = run()
      .start(made.tracks, [videoRung('low', 90), audioRung('opus', 'opus')])
      .feed(strange)
      .feed(later(made.frames, 2));
    await it.until('the last picture is there', () => it.of('low').some(({ pts }) => pts >= 13.9 * SECOND));
    const times = it.of('low').map(({ dts, pts }) => ({ dts, pts }));
    expect(
      times.every(({ dts, pts }, index) => dts <= pts && dts > (times[index - 1]?.dts ?? -1) && pts > (times[index - 1]?.pts ?? -1)),
    ).toBe(true);
    await decodeMedia(it.of('low'));
  });

  it('an encoder that does not exist ends its rung alone', async () => {
    const made = await source({ video: picture, seconds: 1 });
    const it = run()
      .start(made.tracks, [videoRung('good', 90), videoRung('bad', 120, { encoder: 'h264_nonsense' })])
      .feed(made.frames);
    await it.untilFrames('good', FRAME_RATE);
    expect(it.rungFailures).toEqual(['bad: transcode.no-encoder']);
    expect(it.of('bad')).toEqual([]);
  });
});
