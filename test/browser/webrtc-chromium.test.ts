import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, type PublishOptions, publish } from '../fixtures/ffmpeg-publisher.ts';
import { readMedia } from '../fixtures/media-reader.ts';
import { ServerProcess } from '../fixtures/server-process.ts';
import { WebrtcPage } from '../fixtures/webrtc-page.ts';

const WAIT = { timeout: 20_000, interval: 100 };
const PATIENCE_MS = 60_000;

let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  // Streams as they come: what a transcoder makes of them is tested elsewhere.
  const environment = { SLUICE_TRANSCODE_ENABLED: 'false' };
  [server, browser] = await Promise.all([ServerProcess.start({ environment }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  expect(await server?.close()).toBe(0);
});

/** A page that ends with its test. */
async function open({ onTestFinished }: TestContext, of: ServerProcess = server): Promise<WebrtcPage> {
  const page = await WebrtcPage.open(browser, of);
  onTestFinished(() => page.close());
  return page;
}

/** Publishes by RTMP until the test ends. */
async function publishByRtmp(
  { onTestFinished }: TestContext,
  name: string,
  options: Omit<PublishOptions, 'url'>,
): Promise<FfmpegPublisher> {
  const publisher = await publish({ url: `${server.rtmpUrl}/live/${name}`, ...options });
  onTestFinished(() => publisher.close());
  return publisher;
}

interface StreamResource {
  readonly state: string;
  readonly tracks: ReadonlyArray<{ readonly kind: string; readonly codec: string }>;
  readonly renditions: readonly string[];
  readonly viewers: { readonly byProtocol: Readonly<Record<string, number>> };
  readonly webrtc: unknown;
}

async function streamOf(name: string, of: ServerProcess = server): Promise<StreamResource> {
  const response = await fetch(`${of.httpUrl}/api/v1/streams/live/${name}`);
  expect(response.status).toBe(200);
  return (await response.json()) as StreamResource;
}

/** Waits until the stream has a track of each kind. */
const hasTracks = (name: string, codecs: readonly string[], of: ServerProcess = server): Promise<void> =>
  vi.waitFor(async () => {
    expect((await streamOf(name, of)).tracks.map(({ codec }) => codec).sort()).toEqual([...codecs].sort());
  }, WAIT);

/** A page that plays, from its first picture on. */
async function watch(test: TestContext, name: string, of: ServerProcess = server): Promise<WebrtcPage> {
  const page = await open(test, of);
  await page.play(`live/${name}`);
  await page.firstPictureMs();
  return page;
}

/** Waits until what is shown is at most a second old. */
const becomesLive = (page: WebrtcPage): Promise<void> =>
  vi.waitFor(async () => expect(percentile(await page.pictureAgesMs(5), 0.5)).toBeLessThanOrEqual(1_000), { timeout: 15_000, interval: 1 });

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.POSITIVE_INFINITY;

describe('Chromium publishing by WHIP', () => {
  it.for(['H264', 'VP8', 'VP9', 'AV1'] as const)(
    '%s is played by WHEP in another page without loss, soon after it was drawn',
    { timeout: PATIENCE_MS },
    async (codec, test) => {
      const name = codec.toLowerCase();
      const source = await open(test);
      await source.publish(`live/${name}`, { codec });
      await hasTracks(name, [name, 'opus']);
      const viewer = await watch(test, name);
      const ages = await viewer.pictureAgesMs(60);
      const [p50, p95] = [percentile(ages, 0.5), percentile(ages, 0.95)];
      const firstMs = Math.round(await viewer.firstPictureMs());
      console.log(
        `${codec}: glass to glass p50 ${p50} ms, p95 ${p95} ms of ${ages.length} pictures; first picture ${firstMs} ms after the offer`,
      );
      expect(p50).toBeLessThanOrEqual(500);

      const [sent] = await source.stats('outbound-rtp', 'video');
      expect(sent).toMatchObject({ codec: `video/${codec}` });
      expect(sent?.framesEncoded).toBeGreaterThanOrEqual(60);
      const reported = await source.stats('remote-inbound-rtp');
      expect(reported.map(({ kind, packetsLost }) => ({ kind, packetsLost }))).toEqual(
        expect.arrayContaining([
          { kind: 'video', packetsLost: 0 },
          { kind: 'audio', packetsLost: 0 },
        ]),
      );
      await viewer.hear(50);
      const [picture] = await viewer.stats('inbound-rtp', 'video');
      const [sound] = await viewer.stats('inbound-rtp', 'audio');
      expect(picture).toMatchObject({ codec: `video/${codec}`, packetsLost: 0 });
      expect(sound).toMatchObject({ codec: 'audio/opus', packetsLost: 0 });
      expect(picture?.framesDecoded).toBeGreaterThanOrEqual(60);
      expect(await viewer.transportProtocol()).toBe('udp');
      expect((await streamOf(name)).viewers.byProtocol).toMatchObject({ webrtc: 1 });
      expect([...source.complaints, ...viewer.complaints]).toEqual([]);

      await viewer.hangUp();
      await source.hangUp();
      await vi.waitFor(async () => expect((await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`)).status).toBe(404), WAIT);
    },
  );

  it(
    'is played by LL-HLS, HTTP-FLV and RTMP as well',
    async (test) => {
      const source = await open(test);
      await source.publish('live/everywhere');
      await hasTracks('everywhere', ['h264', 'opus']);
      const hls = `${server.httpUrl}/live/everywhere/index.m3u8`;
      await vi.waitFor(async () => {
        const multivariant = await (await fetch(hls)).text();
        expect(multivariant).toMatch(/CODECS="avc1\.[0-9a-f]{6},opus"/i);
      }, WAIT);
      const urls = [hls, `${server.httpUrl}/live/everywhere.flv`, `${server.rtmpUrl}/live/everywhere`];
      const results = await Promise.all(urls.map((url) => readMedia(url, 60)));
      results.forEach(({ streams }, index) => {
        const [video, audio] = ['video', 'audio'].map((kind) => streams.find((stream) => stream.kind === kind));
        expect(video, urls[index]).toMatchObject({ codec: 'h264', isMonotonic: true, isInOrder: true });
        expect(audio, urls[index]).toMatchObject({ codec: 'opus', isMonotonic: true });
        expect(video?.pictures, urls[index]).toBeGreaterThan(45);
        expect(video?.clocks, urls[index]).toBeGreaterThan(40);
        expect(audio?.packets, urls[index]).toBeGreaterThan(40);
      });
    },
    PATIENCE_MS,
  );

  it(
    'by simulcast becomes one stream with a rendition of each further layer',
    async (test) => {
      const source = await open(test);
      await source.publish('live/layers', { simulcast: true });
      await hasTracks('layers', ['h264', 'opus']);
      const viewer = await watch(test, 'layers');
      await viewer.decodeMore(30);
      await vi.waitFor(async () => {
        const sent = await source.stats('outbound-rtp', 'video');
        expect(
          sent
            .filter(({ framesEncoded }) => framesEncoded > 30)
            .map(({ rid }) => rid)
            .sort(),
        ).toEqual(['h', 'l', 'm']);
        expect([...(await streamOf('layers')).renditions].sort()).toEqual(['l', 'm', 'source']);
      }, WAIT);
      expect((await viewer.stats('inbound-rtp', 'video'))[0]).toMatchObject({ packetsLost: 0 });
      // In HLS as soon as each layer's bits a second were measured, the smaller one with fewer of them.
      await vi.waitFor(async () => {
        const playlist = await (await fetch(`${server.httpUrl}/live/layers/index.m3u8`)).text();
        const rates = new Map(
          [...playlist.matchAll(/AVERAGE-BANDWIDTH=(\d+),.*\n(\w+)\/media/g)].map(([, rate, name]) => [name, Number(rate)]),
        );
        expect([...rates.keys()].sort()).toEqual(['l', 'm', 'source']);
        expect(rates.get('l')).toBeGreaterThan(10_000);
        expect(rates.get('m')).toBeGreaterThan(rates.get('l') ?? 0);
      }, WAIT);
    },
    PATIENCE_MS,
  );
});

describe('a viewer in Chromium', () => {
  it(
    'gets its first picture from the cached pictures, without a keyframe from the publisher, and is live soon',
    async (test) => {
      // Nobody asks for keyframes unless somebody has to.
      const patient = await ServerProcess.start({ environment: { SLUICE_WEBRTC_KEYFRAME_INTERVAL_MS: '20000' } });
      try {
        const source = await open(test, patient);
        await source.publish('live/gop');
        await hasTracks('gop', ['h264', 'opus'], patient);
        const first = await watch(test, 'gop', patient);
        await first.decodeMore(45);
        const keyframeWishes = async (page: WebrtcPage, type: 'outbound-rtp' | 'inbound-rtp'): Promise<number> => {
          const [stats] = await page.stats(type, 'video');
          return (stats?.pliCount ?? 0) + (stats?.firCount ?? 0);
        };
        const [before, heldBefore] = [await keyframeWishes(source, 'outbound-rtp'), await keyframeWishes(first, 'inbound-rtp')];
        const late = await watch(test, 'gop', patient);
        const firstMs = await late.firstPictureMs();
        const began = performance.now();
        await becomesLive(late);
        const liveMs = Math.round(performance.now() - began);
        console.log(`first picture from the cache ${Math.round(firstMs)} ms after the offer; live within ${liveMs} ms more`);
        expect(firstMs).toBeLessThan(2_000);
        // A decoder that a loaded machine starves may ask of its own accord; the server does not.
        const byViewers = (await keyframeWishes(first, 'inbound-rtp')) - heldBefore + (await keyframeWishes(late, 'inbound-rtp'));
        expect((await keyframeWishes(source, 'outbound-rtp')) - before).toBeLessThanOrEqual(byViewers);
        expect((await late.stats('inbound-rtp', 'video'))[0]).toMatchObject({ packetsLost: 0 });
      } finally {
        expect(await patient.close()).toBe(0);
      }
    },
    PATIENCE_MS,
  );

  // These wait most of the time, and measure none: two of them run at a time.
  it.concurrent(
    'plays over TCP where no UDP gets through',
    async (test) => {
      await publishByRtmp(test, 'tcp', { videoCodec: 'h264', audioCodec: 'opus' });
      await hasTracks('tcp', ['h264', 'opus']);
      const viewer = await open(test);
      const answer = await viewer.play('live/tcp', { onlyTcp: true });
      expect(answer.match(/^a=candidate:.*$/gm)).toEqual([expect.stringMatching(/ tcp /)]);
      await viewer.decodeMore(60);
      expect(await viewer.transportProtocol()).toBe('tcp');
      expect((await viewer.stats('inbound-rtp', 'video'))[0]).toMatchObject({ packetsLost: 0 });
      await viewer.hear(50);
    },
    PATIENCE_MS,
  );

  it.concurrent(
    'stays connected while a WHIP publisher goes away and comes back',
    async (test) => {
      const first = await open(test);
      await first.publish('live/away');
      await hasTracks('away', ['h264', 'opus']);
      const viewer = await watch(test, 'away');
      await viewer.decodeMore(30);
      await first.close();
      await vi.waitFor(async () => expect((await streamOf('away')).state).toBe('held'), WAIT);
      const second = await open(test);
      await second.publish('live/away');
      await viewer.decodeMore(60);
      expect(await viewer.connectionState()).toBe('connected');
      expect((await streamOf('away')).state).toBe('live');
      await becomesLive(viewer);
    },
    PATIENCE_MS,
  );

  it.concurrent(
    'stays connected while an RTMP publisher is killed and comes back',
    async (test) => {
      const first = await publishByRtmp(test, 'killed', { videoCodec: 'h264', audioCodec: 'opus' });
      await hasTracks('killed', ['h264', 'opus']);
      const viewer = await watch(test, 'killed');
      await viewer.decodeMore(30);
      const heard = (await viewer.stats('inbound-rtp', 'audio'))[0]?.packetsReceived ?? 0;
      await first.kill();
      await vi.waitFor(async () => expect((await streamOf('killed')).state).toBe('held'), WAIT);
      await publishByRtmp(test, 'killed', { videoCodec: 'h264', audioCodec: 'opus' });
      await viewer.decodeMore(60);
      expect(await viewer.connectionState()).toBe('connected');
      await viewer.hear(heard + 10);
      expect((await viewer.stats('inbound-rtp', 'video'))[0]).toMatchObject({ packetsLost: 0 });
    },
    PATIENCE_MS,
  );
});

describe('an RTMP publisher', () => {
  it(
    'with H.264 without B-frames and Opus is watched by WHEP with picture and sound, from its cached pictures at once',
    async (test) => {
      await publishByRtmp(test, 'both', { videoCodec: 'h264', audioCodec: 'opus', keyframeIntervalS: 6 });
      await hasTracks('both', ['h264', 'opus']);
      const first = await watch(test, 'both');
      await first.decodeMore(45);
      const second = await watch(test, 'both');
      const firstMs = await second.firstPictureMs();
      console.log(`RTMP with a keyframe each 6 s: first picture ${Math.round(firstMs)} ms after the offer`);
      expect(firstMs).toBeLessThan(2_000);
      expect((await streamOf('both')).webrtc).toEqual({ video: { playable: true }, audio: { playable: true } });
      await second.hear(50);
      expect((await second.stats('inbound-rtp', 'video'))[0]).toMatchObject({ codec: 'video/H264', packetsLost: 0 });
    },
    PATIENCE_MS,
  );

  it.concurrent(
    'with AAC is watched without sound, and the API says why',
    async (test) => {
      await publishByRtmp(test, 'aac', { videoCodec: 'h264', audioCodec: 'aac' });
      await hasTracks('aac', ['h264', 'aac']);
      const viewer = await watch(test, 'aac');
      await viewer.decodeMore(30);
      expect(await viewer.stats('inbound-rtp', 'audio')).toEqual([]);
      expect((await streamOf('aac')).webrtc).toEqual({
        video: { playable: true },
        audio: { playable: false, reason: 'codec', message: expect.stringContaining('Opus') },
      });
    },
    PATIENCE_MS,
  );

  it.concurrent(
    'with B-frames and AAC is refused by WHEP with what to do',
    async (test) => {
      await publishByRtmp(test, 'nothing', { videoCodec: 'h264', audioCodec: 'aac', bFrames: 2 });
      await hasTracks('nothing', ['h264', 'aac']);
      const viewer = await open(test);
      const refusal = await viewer.play('live/nothing').catch((error: Error) => error.message);
      expect(refusal).toMatch(/422 .*webrtc\.not-playable.*B-frames/s);
      expect((await streamOf('nothing')).webrtc).toMatchObject({
        video: { playable: false, reason: 'b-frames' },
        audio: { playable: false, reason: 'codec' },
      });
    },
    PATIENCE_MS,
  );
});
