import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { durationMs, monotonicMs, streamRef, wallMs } from '../../core/mod.ts';
import { makeHub } from '../../hub/hub.fixture.ts';
import type { Hub, Publication } from '../../hub/mod.ts';
import { audioTrack, feed, sourceFrame, videoTrack, WALL_ZERO_MS } from '../../media/source-frames.fixture.ts';
import { FakePictureChildren } from './fake-pictures.fixture.ts';
import { Thumbnails } from './thumbnails.ts';

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
const quiet = (): undefined => undefined;

let nowMs: number;
let hub: Hub;
let children: FakePictureChildren;
let thumbnails: Thumbnails;

beforeEach(() => {
  nowMs = 1_000_000;
  children = new FakePictureChildren();
  hub = makeHub({ holdMs: durationMs(10_000), streamsMax: 100 });
  thumbnails = new Thumbnails({
    hub,
    start: children.start,
    waitingMax: 3,
    clock: { monotonic: () => monotonicMs(nowMs) },
    log: pino({ level: 'silent' }),
  });
});
afterEach(() => thumbnails.close());

function publish(name: string): Publication {
  const ref = streamRef('live', name);
  const info = { protocol: 'rtmp', address: '192.0.2.1', agent: '' } as const;
  return hub.publish(ref, info, { evicted: quiet }, 'reject', monotonicMs(0), wallMs(WALL_ZERO_MS)) as Publication;
}

/** One that shows something: each stream's keyframes are of a size of their own. */
function show(name: string, size = 100): Publication {
  const publication = publish(name);
  for (let frame = 0; frame < 26; frame++)
    publication.write(
      sourceFrame(videoTrack, frame * 40, frame % 25 === 0, size),
      monotonicMs(frame * 40),
      wallMs(WALL_ZERO_MS + frame * 40),
    );
  return publication;
}

/** Waits until the process was asked for a picture. */
async function asked(): Promise<void> {
  await vi.waitFor(
    () => {
      const { newest } = children;
      if (!newest.isReady) newest.ready();
      expect(newest).toMatchObject({ isBusy: true, isGone: false });
    },
    { timeout: 30_000, interval: 2 },
  );
}

describe('thumbnails', () => {
  it('are made of the newest keyframe once, and kept for five seconds', async () => {
    show('a');
    const [first, second] = [thumbnails.thumbnail('live/a'), thumbnails.thumbnail('live/a')];
    await asked();
    expect(children.newest.asked[0]).toMatchObject({ codec: 'h264', config: videoTrack.config });
    expect(children.newest.asked[0]?.payload).toBe(hub.stream('live/a')?.keyframe?.payload);
    children.newest.jpeg(jpeg);
    expect(await first).toMatchObject({ jpeg });
    expect(await second).toBe(await first);
    nowMs += 4_999;
    expect(await thumbnails.thumbnail('live/a')).toBe(await first);
    expect(thumbnails.stats()).toMatchObject({ made: 1, starts: 1 });
  });

  it('are not made again while the keyframe is the same', async () => {
    const publication = show('a');
    const first = thumbnails.thumbnail('live/a');
    await asked();
    children.newest.jpeg(jpeg);
    const { etag } = (await first) as { etag: string };
    expect(etag).toMatch(/^"[0-9a-z.-]+"$/);
    nowMs += 6_000;
    expect(await thumbnails.thumbnail('live/a')).toMatchObject({ etag });
    expect(children.newest.asked).toHaveLength(1);
    nowMs += 6_000;
    publication.write(sourceFrame(videoTrack, 26 * 40, true), monotonicMs(1_040), wallMs(WALL_ZERO_MS + 1_040));
    const next = thumbnails.thumbnail('live/a');
    await asked();
    children.newest.jpeg(jpeg);
    expect(((await next) as { etag: string }).etag).not.toBe(etag);
  });

  it('wait for one another, so many and no more', async () => {
    for (const name of ['a', 'b', 'c', 'd']) show(name);
    const waiting = ['a', 'b', 'c'].map((name) => thumbnails.thumbnail(`live/${name}`));
    expect(await thumbnails.thumbnail('live/d')).toMatchObject({ code: 'thumbnails.busy', retryAfterS: 2 });
    for (const picture of waiting) {
      await asked();
      children.newest.jpeg(jpeg);
      expect(await picture).toMatchObject({ jpeg });
    }
    expect(thumbnails.stats()).toMatchObject({ made: 3, refused: 1 });
    const late = thumbnails.thumbnail('live/d');
    await asked();
    children.newest.jpeg(jpeg);
    expect(await late).toMatchObject({ jpeg });
  });

  it('of a stream that ends the process twice are not tried for a minute, while others get theirs', async () => {
    show('bad', 66);
    show('good');
    for (const count of [1, 2]) {
      const crashed = thumbnails.thumbnail('live/bad');
      const other = thumbnails.thumbnail('live/good');
      await asked();
      children.newest.crash();
      expect(await crashed).toMatchObject({ code: 'thumbnails.failed', retryAfterS: 2 });
      if (count === 1) {
        await asked();
        children.newest.jpeg(jpeg);
      }
      expect(await other).toMatchObject({ jpeg });
      nowMs += 6_000;
    }
    const { starts } = thumbnails.stats();
    expect(thumbnails.stats()).toMatchObject({ crashed: 2, made: 1 });
    const spared = await thumbnails.thumbnail('live/bad');
    expect(spared).toMatchObject({ code: 'thumbnails.failed', retryAfterS: 54 });
    expect(thumbnails.stats().starts).toBe(starts);
    nowMs += 60_000;
    const again = thumbnails.thumbnail('live/bad');
    await asked();
    children.newest.jpeg(jpeg);
    expect(await again).toMatchObject({ jpeg });
  });

  it('say why there is none', async () => {
    expect(await thumbnails.thumbnail('live/none')).toBeUndefined();
    feed(publish('sound'), { fromMs: 0, untilMs: 2_000, video: undefined, audio: audioTrack });
    expect(await thumbnails.thumbnail('live/sound')).toMatchObject({ code: 'thumbnails.no-video' });
    publish('silent');
    expect(await thumbnails.thumbnail('live/silent')).toMatchObject({ code: 'thumbnails.no-keyframe' });
    show('large', 1_000_001);
    expect(await thumbnails.thumbnail('live/large')).toMatchObject({ code: 'thumbnails.no-keyframe' });
    show('broken');
    const broken = thumbnails.thumbnail('live/broken');
    await asked();
    children.newest.failed('invalid data');
    expect(await broken).toMatchObject({ code: 'thumbnails.failed' });
    // Nor is that found out again at once.
    expect(await thumbnails.thumbnail('live/broken')).toBe(await broken);
    expect(thumbnails.stats()).toMatchObject({ failed: 1, crashed: 0 });
  });

  it('are unavailable without FFmpeg', async () => {
    show('a');
    const none = thumbnails.thumbnail('live/a');
    await vi.waitFor(() => expect(children.all).toHaveLength(1), { timeout: 30_000, interval: 2 });
    children.newest.listener.unavailable('not installed');
    expect(await none).toEqual({ code: 'thumbnails.unavailable', detail: 'not installed' });
  });

  it('are not those of a former stream of the same name', async () => {
    show('a').finish(monotonicMs(1_040));
    const former = show('b');
    const first = thumbnails.thumbnail('live/b');
    await asked();
    children.newest.jpeg(jpeg);
    await first;
    former.finish(monotonicMs(1_040));
    expect(await thumbnails.thumbnail('live/b')).toBeUndefined();
    expect(await thumbnails.thumbnail('live/a')).toBeUndefined();
  });
});
