import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame, VideoTrack } from '../../media/mod.ts';
import { makeSource, type SourceOptions } from '../transcode/test-media.fixture.ts';
import { JpegLooker } from './jpeg-look.fixture.ts';
import type { CodedPicture } from './jpeg-maker.ts';
import { PictureMaker, type PictureResult } from './picture-maker.ts';
import { startPictureChild } from './thumbnail-child.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const PATIENCE_MS = 120_000;
/** Of the fixture's pictures: the first one of a second is white, the others are grey. */
const [WHITE, GREY] = [250, 76];

type Video = NonNullable<SourceOptions['video']>;

let maker: PictureMaker;
let looker: JpegLooker;

beforeAll(() => {
  // A busy machine is no reason to take a picture for stuck.
  maker = new PictureMaker({ start: startPictureChild, pictureMsMax: 60_000, loadMsMax: PATIENCE_MS });
  looker = new JpegLooker();
});
afterAll(async () => {
  looker.close();
  await maker.close();
});

async function keyframesOf(video: Pick<Video, 'codec'> & Partial<Video>): Promise<CodedPicture[]> {
  const { frames } = await makeSource({
    video: { width: 640, height: 360, frameRate: 25, keyframeEvery: 5, ...video },
    seconds: 0.4,
  });
  return frames.filter(({ isKeyframe }) => isKeyframe).map(coded);
}

const coded = ({ track, payload }: Frame): CodedPicture => {
  const { codec, config } = track as VideoTrack;
  return { codec, config, payload };
};

async function seen(picture: CodedPicture | undefined): Promise<{ width: number; height: number; luma: number; spread: number }> {
  const result = await maker.make(picture as CodedPicture);
  if (result.kind !== 'jpeg') throw new Error(`${result.kind}: ${result.message}`);
  const { jpeg } = result;
  expect([...jpeg.subarray(0, 3), ...jpeg.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xff, 0xd9]);
  expect(jpeg.length).toBeLessThan(60_000);
  const { width, height, mean } = await looker.look(jpeg);
  return { width, height, luma: (mean[0] + mean[1] + mean[2]) / 3, spread: Math.max(...mean) - Math.min(...mean) };
}

describe('a keyframe as a JPEG', { timeout: PATIENCE_MS }, () => {
  it.each<{ what: string; video: Pick<Video, 'codec'> & Partial<Video>; size: readonly [number, number] }>([
    { what: 'H.264', video: { codec: 'h264', bFrames: 2 }, size: [320, 180] },
    { what: 'H.264 in 10 bits', video: { codec: 'h264', is10Bit: true }, size: [320, 180] },
    { what: 'H.264 in 4:4:4', video: { codec: 'h264', chroma: '4:4:4' }, size: [320, 180] },
    { what: 'interlaced H.264', video: { codec: 'h264', width: 720, height: 576, isInterlaced: true }, size: [320, 256] },
    { what: 'HEVC', video: { codec: 'hevc' }, size: [320, 180] },
    { what: 'HEVC in 10 bits', video: { codec: 'hevc', is10Bit: true }, size: [320, 180] },
    { what: 'AV1', video: { codec: 'av1' }, size: [320, 180] },
    { what: 'VP8, of odd size', video: { codec: 'vp8', width: 641, height: 361 }, size: [320, 180] },
    { what: 'VP9', video: { codec: 'vp9' }, size: [320, 180] },
    { what: 'a small portrait', video: { codec: 'h264', width: 180, height: 320 }, size: [180, 320] },
  ])('is made of $what', async ({ video, size }) => {
    const keyframes = await keyframesOf(video);
    expect(keyframes.length).toBeGreaterThan(1);
    const [flash, later] = [await seen(keyframes[0]), await seen(keyframes[1])];
    for (const { width, height, spread } of [flash, later]) {
      expect([width, height]).toEqual(size);
      expect(spread).toBeLessThan(8);
    }
    expect(Math.abs(flash.luma - WHITE)).toBeLessThan(10);
    expect(Math.abs(later.luma - GREY)).toBeLessThan(20);
  });
});

/** The same numbers each time, from 0 to 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

function spoilt(picture: CodedPicture, random: () => number): CodedPicture {
  const payload = Uint8Array.from(picture.payload);
  for (let count = 1 + Math.floor(random() * 20); count > 0; count--)
    payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256);
  const config = Uint8Array.from(picture.config);
  if (random() < 0.3 && config.length > 0) config[Math.floor(random() * config.length)] = Math.floor(random() * 256);
  return { ...picture, config, payload: random() < 0.2 ? payload.subarray(0, Math.floor(random() * payload.length)) : payload };
}

describe('hostile keyframes', { timeout: PATIENCE_MS + RUNS * 200 }, () => {
  it('do no harm: each gives a picture, or is said to give none, and others get theirs', async () => {
    const good = await Promise.all(
      (['h264', 'hevc', 'av1', 'vp8', 'vp9'] as const).map(async (codec) => (await keyframesOf({ codec }))[1] as CodedPicture),
    );
    const random = seeded(20_252);
    const results: PictureResult['kind'][] = [];
    for (let run = 0; run < RUNS; run++) {
      const picture = good[Math.floor(random() * good.length)] as CodedPicture;
      const { kind } = await maker.make(spoilt(picture, random));
      results.push(kind);
    }
    // A crash would be a fault of FFmpeg's; it takes no more than the process with it.
    expect(results.filter((kind) => kind === 'unavailable' || kind === 'not-started')).toEqual([]);
    expect(results).toContain('failed');
    for (const empty of good) expect(await maker.make({ ...empty, payload: new Uint8Array() })).toMatchObject({ kind: 'failed' });
    for (const picture of good) expect(await maker.make(picture)).toMatchObject({ kind: 'jpeg' });
  });

  it('that end the process are told as such, and the next picture gets another process', async () => {
    const [good] = await keyframesOf({ codec: 'h264' });
    const deadly = new Uint8Array([0, 0, 0, 1, 9]);
    const fragile = new PictureMaker({
      start: (listener) => {
        const child = startPictureChild(listener);
        return { ...child, make: (picture) => (picture.payload === deadly ? child.kill() : child.make(picture)) };
      },
      pictureMsMax: 60_000,
      loadMsMax: PATIENCE_MS,
    });
    const picture = good as CodedPicture;
    expect(await fragile.make({ ...picture, payload: deadly })).toEqual({ kind: 'crashed', message: 'signal SIGKILL' });
    expect(await fragile.make(picture)).toMatchObject({ kind: 'jpeg' });
    expect(fragile.starts).toBe(2);
    await fragile.close();
  });
});
